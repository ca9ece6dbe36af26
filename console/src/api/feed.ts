// Every change of every operation, from one live subscription: keeps what is
// running now, and tells pages about changes so that they update in place.
import type { Live } from "./live";
import type { Operation } from "./types";

type ChangeListener = (operation: Operation) => void;

/**
 * So many operations of each state the server tells when the subscription begins, and no
 * more (`STANDING` in crates/web/src/live/follower.rs).
 */
export const MOST_TOLD = 2_000;

export function isActive(operation: Pick<Operation, "state">): boolean {
  return operation.state === "running" || operation.state === "queued";
}

export function isRunning(operation: Pick<Operation, "state">): boolean {
  return operation.state === "running";
}

/** What runs and waits, as far as it was told. The same object until that changes. */
export interface FeedView {
  /** Queued and running operations, the newest first. */
  active: readonly Operation[];
  /** All that stood at the beginning has been told; before, nobody knows what is missing. */
  whole: boolean;
  /** So many stood at the beginning that there may be further ones. */
  more: boolean;
}

const NOTHING: FeedView = { active: [], whole: false, more: false };

export class OperationFeed {
  #active = new Map<string, Operation>();
  #whole = false;
  #more = false;
  #view = NOTHING;
  #viewListeners = new Set<() => void>();
  #changeListeners = new Set<ChangeListener>();
  #resetListeners = new Set<() => void>();
  #scheduled = false;

  attach(live: Live): () => void {
    const leave = live.subscribe(
      { kind: "operations", filter: {} },
      {
        onOperation: (operation) => this.#change(operation),
        onPosition: () => this.#arrived(),
        onReset: () => this.#reset(),
      },
    );
    return () => {
      leave();
      this.#forget();
    };
  }

  readonly view = (): FeedView => this.#view;

  readonly onView = (listener: () => void): (() => void) => {
    this.#viewListeners.add(listener);
    return () => this.#viewListeners.delete(listener);
  };

  readonly onChange = (listener: ChangeListener): (() => void) => {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  };

  readonly onReset = (listener: () => void): (() => void) => {
    this.#resetListeners.add(listener);
    return () => this.#resetListeners.delete(listener);
  };

  #change(operation: Operation): void {
    const known = this.#active.get(operation.id);
    if (known && known.changed > operation.changed) return;
    if (isActive(operation)) this.#active.set(operation.id, operation);
    else this.#active.delete(operation.id);
    for (const listener of this.#changeListeners) listener(operation);
    this.#schedule();
  }

  #arrived(): void {
    if (this.#whole) return;
    this.#whole = true;
    const running = [...this.#active.values()].filter(isRunning).length;
    this.#more = Math.max(running, this.#active.size - running) >= MOST_TOLD;
    this.#schedule();
  }

  #reset(): void {
    this.#forget();
    for (const listener of this.#resetListeners) listener();
  }

  #forget(): void {
    this.#active.clear();
    this.#whole = false;
    this.#more = false;
    this.#schedule();
  }

  // Many changes may come in one message burst; readers are told once.
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      const active = [...this.#active.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
      this.#view = { active, whole: this.#whole, more: this.#more };
      for (const listener of this.#viewListeners) listener();
    });
  }
}
