// The console's one live connection: topics, and resuming without gap or repeat.
// It is a WebSocket, or asks again and again where a proxy passes none on. It knows
// nothing of React, and never decides what a change means.
import {
  concerns,
  type LiveLine,
  readLine,
  readMessage,
  type ServerMessage,
  subscribeMessage,
  type Topic,
  UNAVAILABLE,
} from "./live-messages";
import type { Operation } from "./types";

export type { LiveLine, Topic } from "./live-messages";

export type LiveStatus =
  | { phase: "stopped" }
  | { phase: "connecting"; failures: number }
  /** `polling`: a proxy refuses the socket, and the server is asked again and again. */
  | { phase: "open"; polling: boolean }
  /** The next attempt is at `retryAt` (milliseconds since 1970). */
  | { phase: "waiting"; failures: number; retryAt: number };

export interface LiveHandlers {
  onOperation?(operation: Operation): void;
  onLog?(lines: LiveLine[]): void;
  /** Lines `from` to `to` cannot be had: expired, or never sent. */
  onGap?(from: number, to: number, reason: string): void;
  onLogEnd?(lastSeq: number): void;
  /** Changes may have been missed; what is shown must be read anew. */
  onReset?(): void;
  onError?(code: string, message: string): void;
}

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

interface Subscription {
  id: number;
  topic: Topic;
  handlers: LiveHandlers;
  /** Nothing up to this change is missing. Null until the first view has wholly arrived. */
  since: number | null;
  nextSeq: number;
  seen: Map<string, number>;
  cancelTrouble: () => void;
  cancelStalled: (() => void) | null;
}

// WebSocket.OPEN, which only browsers define.
const OPEN = 1;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const CONNECT_LIMIT_MS = 15_000;
/** A socket this quiet is asked for a sign of life. */
const QUIET_MS = 45_000;
const ANSWER_LIMIT_MS = 10_000;
const SEEN_LIMIT = 2_000;
/** When the server cannot follow a topic just now, it is asked again after this. */
const TROUBLE_MS = 2_000;
/** A log whose next line has not come this long after later ones came is asked for again. */
const STALLED_MS = 5_000;
/** So many sockets refused in a row, and a proxy is suspected to pass none on. */
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

export interface LiveEvents {
  /** The server greeted: who is logged in may have changed while it was away. */
  greeted?(): void;
  /** An attempt failed before the greeting. */
  refused?(): void;
}

/** Both ways to the server. */
export interface LiveWays {
  socket(): LiveSocket;
  poll(): LiveSocket;
}

export class Live {
  #ways: LiveWays;
  #clock: LiveClock;
  #socket: LiveSocket | null = null;
  #greeted = false;
  #everOpen = false;
  #failures = 0;
  /** Sockets that failed before their greeting, since one was greeted or the server was away. */
  #refusals = 0;
  #polling = false;
  /** The newest change that was heard of. */
  #newest: number | null = null;
  #nextId = 1;
  #subscriptions = new Map<number, Subscription>();
  #status: LiveStatus = { phase: "stopped" };
  #listeners = new Set<() => void>();
  #cancelTimer: () => void = () => {};
  #cancelPolling: () => void = () => {};
  #events: LiveEvents;

  constructor(ways: LiveWays, events: LiveEvents = {}, clock = systemClock) {
    this.#ways = ways;
    this.#events = events;
    this.#clock = clock;
  }

  readonly status = (): LiveStatus => this.#status;

  readonly onStatus = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  start(): void {
    if (this.#status.phase === "stopped") this.#connect();
  }

  /** Ends the connection and forgets the position, as at log-out. */
  stop(): void {
    this.#dropSocket();
    this.#newest = null;
    this.#failures = 0;
    this.#refusals = 0;
    this.#everOpen = false;
    for (const subscription of this.#subscriptions.values()) subscription.since = null;
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

  subscribe(topic: Topic, handlers: LiveHandlers): () => void {
    const id = this.#nextId++;
    const nextSeq = topic.kind === "operation" ? (topic.logFrom ?? 1) : 1;
    const subscription: Subscription = {
      id,
      topic,
      handlers,
      since: null,
      nextSeq,
      seen: new Map(),
      cancelTrouble: () => {},
      cancelStalled: null,
    };
    this.#subscriptions.set(id, subscription);
    if (this.#greeted) this.#request(subscription);
    return () => {
      this.#subscriptions.delete(id);
      cancelTimers(subscription);
      if (this.#greeted) this.#send({ type: "unsubscribe", id });
    };
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
    if (this.#polling) this.#refusals = 0;
    else if (!greeted) this.#refusals += 1;
    const longest = Math.min(FIRST_WAIT_MS * 2 ** (this.#failures - 1), LONGEST_WAIT_MS);
    const wait = Math.round(longest * (0.8 + 0.4 * this.#clock.chance()));
    this.#become({
      phase: "waiting",
      failures: this.#failures,
      retryAt: this.#clock.now() + wait,
    });
    this.#timer(wait, () => this.#connect());
    if (!greeted) this.#events.refused?.();
  }

  #dropSocket(): void {
    this.#cancelTimer();
    this.#cancelPolling();
    this.#greeted = false;
    // Once greeted anew, everything is asked for anew.
    for (const subscription of this.#subscriptions.values()) cancelTimers(subscription);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  #receive(message: ServerMessage): void {
    if (this.#greeted) this.#watchQuiet();
    switch (message.type) {
      case "hello":
        this.#greet(message.changed);
        break;
      case "position": {
        this.#newest = Math.max(this.#newest ?? 0, message.changed);
        const subscription = this.#subscriptions.get(message.id);
        if (subscription) subscription.since = message.changed;
        break;
      }
      case "operation":
        this.#deliver(message.operation, message.changed);
        break;
      case "log":
        for (const subscription of this.#logReaders(message.operation)) {
          this.#deliverLines(subscription, message.lines.map(readLine));
        }
        break;
      case "log_gap":
        for (const subscription of this.#logReaders(message.operation)) {
          this.#deliverGap(subscription, message.from, message.to, message.reason);
        }
        break;
      case "log_end":
        for (const subscription of this.#logReaders(message.operation)) {
          if (subscription.nextSeq <= message.last_seq) this.#awaitNext(subscription);
          else subscription.handlers.onLogEnd?.(message.last_seq);
        }
        break;
      case "error":
        this.#refuse(message.id ?? -1, message.code, message.message);
        break;
    }
  }

  #refuse(id: number, code: string, text: string): void {
    if (code !== UNAVAILABLE) {
      this.#subscriptions.get(id)?.handlers.onError?.(code, text);
      return;
    }
    const subscription = this.#subscriptions.get(id);
    if (!subscription) return;
    subscription.cancelTrouble();
    subscription.cancelTrouble = this.#clock.after(TROUBLE_MS, () => this.#askAnew(subscription));
  }

  #askAnew(subscription: Subscription): void {
    this.#send({ type: "unsubscribe", id: subscription.id });
    this.#request(subscription);
  }

  #greet(changed: number): void {
    // A smaller number than ours means another database behind the same name.
    const foreign = this.#newest !== null && changed < this.#newest;
    this.#newest = changed;
    const again = this.#everOpen;
    this.#greeted = true;
    this.#everOpen = true;
    this.#failures = 0;
    if (this.#polling) this.#cancelPolling = this.#clock.after(POLLING_MS, () => this.#trySocket());
    else this.#refusals = 0;
    this.#become({ phase: "open", polling: this.#polling });
    this.#watchQuiet();
    this.#events.greeted?.();
    for (const subscription of this.#subscriptions.values()) {
      if (foreign) subscription.since = null;
      if (again && subscription.since === null) {
        subscription.seen.clear();
        subscription.handlers.onReset?.();
      }
      this.#request(subscription);
    }
  }

  // Refused once more, polling goes on at once.
  #trySocket(): void {
    this.#refusals = REFUSALS - 1;
    this.#connect();
  }

  #request(subscription: Subscription): void {
    const { id, topic, since, nextSeq } = subscription;
    this.#send(subscribeMessage(id, topic, since, nextSeq));
  }

  #deliver(operation: Operation, changed: number): void {
    for (const { topic, handlers, seen } of this.#subscriptions.values()) {
      if (!concerns(topic, operation)) continue;
      if ((seen.get(operation.id) ?? -1) >= changed) continue;
      seen.delete(operation.id);
      seen.set(operation.id, changed);
      if (seen.size > SEEN_LIMIT) seen.delete(seen.keys().next().value ?? "");
      handlers.onOperation?.(operation);
    }
  }

  // A message of a log does not say for whom it is. Lines beyond the next one were on
  // their way to another reader, or to one that has left; what is gone for good is
  // said by a gap.
  #deliverLines(subscription: Subscription, lines: LiveLine[]): void {
    const fresh = lines.filter((line) => line.seq >= subscription.nextSeq);
    const first = fresh[0];
    const last = fresh.at(-1);
    if (!first || !last) return;
    if (first.seq > subscription.nextSeq) {
      this.#awaitNext(subscription);
      return;
    }
    this.#goOn(subscription, last.seq + 1);
    subscription.handlers.onLog?.(fresh);
  }

  #deliverGap(subscription: Subscription, from: number, to: number, reason: string): void {
    if (to < subscription.nextSeq) return;
    if (from > subscription.nextSeq) {
      this.#awaitNext(subscription);
      return;
    }
    const missing = subscription.nextSeq;
    this.#goOn(subscription, to + 1);
    subscription.handlers.onGap?.(missing, to, reason);
  }

  #goOn(subscription: Subscription, nextSeq: number): void {
    subscription.nextSeq = nextSeq;
    subscription.cancelStalled?.();
    subscription.cancelStalled = null;
  }

  #awaitNext(subscription: Subscription): void {
    subscription.cancelStalled ??= this.#clock.after(STALLED_MS, () => {
      subscription.cancelStalled = null;
      this.#askAnew(subscription);
    });
  }

  #logReaders(operation: string): Subscription[] {
    return [...this.#subscriptions.values()].filter(
      ({ topic }) =>
        topic.kind === "operation" && topic.operation === operation && topic.logFrom !== null,
    );
  }

  #watchQuiet(): void {
    this.#timer(QUIET_MS, () => this.#askForLife());
  }

  #askForLife(): void {
    this.#timer(ANSWER_LIMIT_MS, () => this.#lost());
    this.#send({ type: "ping" });
  }

  #timer(milliseconds: number, run: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.after(milliseconds, run);
  }

  #send(message: object): void {
    // A socket that is closing says so by its end; what was to be sent is asked again then.
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(message));
  }

  #become(status: LiveStatus): void {
    this.#status = status;
    for (const listener of this.#listeners) listener();
  }
}

function cancelTimers(subscription: Subscription): void {
  subscription.cancelTrouble();
  subscription.cancelStalled?.();
  subscription.cancelStalled = null;
}
