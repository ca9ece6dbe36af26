// The console's one live connection: topics that resume without gap or repeat. It
// knows nothing of React.
import {
  Connection,
  type LiveClock,
  type LiveStatus,
  type LiveWays,
  systemClock,
} from "./live-connection";
import type { Topic } from "./live-messages";
import { type LiveHandlers, Topics } from "./live-topics";

export type { LiveClock, LiveSocket, LiveStatus, LiveWays } from "./live-connection";
export type { FileEvent, LiveLine, Topic } from "./live-messages";
export type { LiveHandlers } from "./live-topics";

export interface LiveEvents {
  /** The server greeted: who is logged in may have changed while it was away. */
  greeted?(): void;
  /** An attempt failed before the greeting. */
  refused?(): void;
}

export class Live {
  #connection: Connection;
  #topics: Topics;

  constructor(ways: LiveWays, events: LiveEvents = {}, clock: LiveClock = systemClock) {
    this.#topics = new Topics((message) => this.#connection.send(message), clock);
    this.#connection = new Connection(
      ways,
      {
        greeted: (changed) => {
          events.greeted?.();
          this.#topics.greeted(changed);
        },
        said: (message) => this.#topics.receive(message),
        dropped: () => this.#topics.rest(),
        refused: () => {
          this.#topics.missed();
          events.refused?.();
        },
      },
      clock,
    );
  }

  readonly status = (): LiveStatus => this.#connection.status;

  readonly onStatus = (listener: () => void): (() => void) => this.#connection.onStatus(listener);

  start(): void {
    this.#connection.start();
  }

  /** Ends the connection and forgets the position, as at log-out. */
  stop(): void {
    this.#topics.forget();
    this.#connection.stop();
  }

  /** Tries now instead of at the end of the countdown. */
  retry(): void {
    this.#connection.retry();
  }

  /** Asks a socket that may have died in its sleep to answer, or replaces it. */
  probe(): void {
    this.#connection.probe();
  }

  subscribe(topic: Topic, handlers: LiveHandlers): () => void {
    return this.#topics.subscribe(topic, handlers);
  }
}
