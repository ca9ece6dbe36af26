// The time, for words such as "4 s ago": one shared tick, stopped while nobody
// looks at it.
import { useSyncExternalStore } from "react";

class Ticker {
  #now = Date.now();
  #timer: ReturnType<typeof setInterval> | null = null;
  #listeners = new Set<() => void>();
  readonly #every: number;

  constructor(every: number) {
    this.#every = every;
  }

  readonly now = () => this.#now;

  readonly subscribe = (listener: () => void) => {
    if (this.#listeners.size === 0) {
      this.#now = Date.now();
      this.#timer = setInterval(() => this.#tick(), this.#every);
    }
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0 && this.#timer) clearInterval(this.#timer);
    };
  };

  #tick() {
    this.#now = Date.now();
    for (const listener of this.#listeners) listener();
  }
}

const seconds = new Ticker(1_000);
const quick = new Ticker(200);

/** The present time in milliseconds, renewed each second. */
export function useNow(): number {
  return useSyncExternalStore(seconds.subscribe, seconds.now);
}

/** The same five times a second, for spans under ten seconds. */
export function useQuickNow(): number {
  return useSyncExternalStore(quick.subscribe, quick.now);
}
