// Keeping one connection to the server: a WebSocket, or asking again and again where
// a proxy passes none on; waiting longer after each failure. What is said over it is
// not its business, but for the greeting.
import { readMessage, type ServerMessage } from "./live-messages";

export type LiveStatus =
  | { phase: "stopped" }
  | { phase: "connecting"; failures: number }
  | { phase: "open"; polling: false }
  /** No socket opens, and the server is asked again and again. What it missed, if it knows. */
  | { phase: "open"; polling: true; missing: readonly string[] }
  /** The next attempt is at `retryAt` (milliseconds since 1970). */
  | { phase: "waiting"; failures: number; retryAt: number };

/** The parts of WebSocket that are used, so that a test can stand in for it. */
export interface LiveSocket {
  readonly readyState: number;
  send(text: string): void;
  close(): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
}

export interface LiveClock {
  now(): number;
  after(milliseconds: number, run: () => void): () => void;
  /** From 0 up to 1, for spreading attempts. */
  chance(): number;
}

/** Both ways to the server. */
export interface LiveWays {
  socket(): LiveSocket;
  poll(): LiveSocket;
}

export interface ConnectionEvents {
  /** The server greeted, and its newest change is this. */
  greeted(changed: number): void;
  /** It said something else. */
  said(message: ServerMessage): void;
  /** The socket is gone; nothing can be sent until the next greeting. */
  dropped(): void;
  /** An attempt failed before the greeting. */
  refused(): void;
}

// WebSocket.OPEN, which only browsers define.
const OPEN = 1;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const CONNECT_LIMIT_MS = 15_000;
/** A socket this quiet is asked for a sign of life. */
const QUIET_MS = 45_000;
const ANSWER_LIMIT_MS = 10_000;
/** So many sockets refused in a row, and something is suspected to pass none on. */
const REFUSALS = 3;
/** How long is polled before a socket is tried again. */
const POLLING_MS = 5 * 60_000;

export const systemClock: LiveClock = {
  now: () => Date.now(),
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
  chance: () => Math.random(),
};

export class Connection {
  #ways: LiveWays;
  #events: ConnectionEvents;
  #clock: LiveClock;
  #socket: LiveSocket | null = null;
  #greeted = false;
  #failures = 0;
  /** Sockets that failed before their greeting, since one was greeted or the server was away. */
  #refusals = 0;
  #polling = false;
  /** A socket failed while the server answered otherwise, so it was not for its being away. */
  #proven = false;
  #status: LiveStatus = { phase: "stopped" };
  #listeners = new Set<() => void>();
  #cancelTimer: () => void = () => {};
  #cancelPolling: () => void = () => {};

  constructor(ways: LiveWays, events: ConnectionEvents, clock: LiveClock) {
    this.#ways = ways;
    this.#events = events;
    this.#clock = clock;
  }

  get status(): LiveStatus {
    return this.#status;
  }

  onStatus(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    if (this.#status.phase === "stopped") this.#connect();
  }

  stop(): void {
    this.#dropSocket();
    this.#failures = 0;
    this.#refusals = 0;
    this.#proven = false;
    this.#become({ phase: "stopped" });
  }

  /** Tries now instead of at the end of the countdown. */
  retry(): void {
    if (this.#status.phase === "waiting") this.#connect();
  }

  /** Asks a socket that may have died in its sleep to answer, or replaces it. */
  probe(): void {
    if (this.#status.phase === "waiting") this.#connect();
    else if (this.#status.phase === "open") this.#askForLife();
  }

  /** Says something to a server that has greeted; says nothing to one that is away. */
  send(message: object): void {
    if (!this.#greeted) return;
    // A socket that is closing says so by its end; what was to be sent is asked again then.
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(message));
  }

  #connect(): void {
    this.#dropSocket();
    this.#become({ phase: "connecting", failures: this.#failures });
    this.#polling = this.#refusals >= REFUSALS;
    const socket = this.#polling ? this.#ways.poll() : this.#ways.socket();
    this.#socket = socket;
    this.#timer(CONNECT_LIMIT_MS, () => this.#lost());
    socket.onmessage = (event) => {
      const message = typeof event.data === "string" ? readMessage(event.data) : null;
      if (message) this.#receive(message);
    };
    socket.onclose = () => this.#lost();
  }

  #lost(): void {
    const greeted = this.#greeted;
    this.#dropSocket();
    this.#failures += 1;
    // Where polling finds nobody either, it is the server that is away, and no proxy.
    if (this.#polling) {
      this.#refusals = 0;
      this.#proven = false;
    } else if (!greeted) this.#refusals += 1;
    const longest = Math.min(FIRST_WAIT_MS * 2 ** (this.#failures - 1), LONGEST_WAIT_MS);
    const wait = Math.round(longest * (0.8 + 0.4 * this.#clock.chance()));
    this.#become({
      phase: "waiting",
      failures: this.#failures,
      retryAt: this.#clock.now() + wait,
    });
    this.#timer(wait, () => this.#connect());
    if (!greeted) this.#events.refused();
  }

  #dropSocket(): void {
    this.#cancelTimer();
    this.#cancelPolling();
    this.#greeted = false;
    this.#events.dropped();
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  #receive(message: ServerMessage): void {
    if (this.#greeted) this.#watchQuiet();
    if (message.type !== "hello") this.#events.said(message);
    else if (this.#polling && !this.#proven) this.#prove();
    else this.#greet(message.changed, message.missing ?? []);
  }

  // The server is there. While it was not, as when it is started anew, sockets failed for
  // that: one more tells whether they fail now.
  #prove(): void {
    this.#proven = true;
    this.#failures = 0;
    this.#trySocket();
  }

  #greet(changed: number, missing: readonly string[]): void {
    this.#greeted = true;
    this.#failures = 0;
    if (this.#polling) {
      this.#cancelPolling = this.#clock.after(POLLING_MS, () => this.#trySocket());
      this.#become({ phase: "open", polling: true, missing });
    } else {
      this.#refusals = 0;
      this.#proven = false;
      this.#become({ phase: "open", polling: false });
    }
    this.#watchQuiet();
    this.#events.greeted(changed);
  }

  // Refused once more, polling goes on at once.
  #trySocket(): void {
    this.#refusals = REFUSALS - 1;
    this.#connect();
  }

  #watchQuiet(): void {
    this.#timer(QUIET_MS, () => this.#askForLife());
  }

  #askForLife(): void {
    this.#timer(ANSWER_LIMIT_MS, () => this.#lost());
    this.send({ type: "ping" });
  }

  #timer(milliseconds: number, run: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(milliseconds, run);
  }

  #become(status: LiveStatus): void {
    this.#status = status;
    for (const listener of this.#listeners) listener();
  }
}
