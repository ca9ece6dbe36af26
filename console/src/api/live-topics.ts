// What is followed over the live connection: each topic with its own position, so
// that it resumes without gap or repeat. What a change means is not decided here.
import type { LiveClock } from "./live-connection";
import {
  concerns,
  type FileEvent,
  type LiveLine,
  readLine,
  type ServerMessage,
  subscribeMessage,
  type Topic,
  UNAVAILABLE,
} from "./live-messages";
import type { Operation } from "./types";

export interface LiveHandlers {
  onOperation?(operation: Operation): void;
  onLog?(lines: LiveLine[]): void;
  /** Lines `from` to `to` cannot be had: expired, or never sent. */
  onGap?(from: number, to: number, reason: string): void;
  onLogEnd?(lastSeq: number): void;
  onFile?(event: FileEvent): void;
  /** Everything up to some change has been told: the first time, the whole first view. */
  onPosition?(): void;
  /** Changes may have been missed; what is shown must be read anew. */
  onReset?(): void;
  onError?(code: string, message: string): void;
}

interface Subscription {
  id: number;
  topic: Topic;
  handlers: LiveHandlers;
  /** Nothing up to this change is missing. Null until the first view has wholly arrived. */
  since: number | null;
  nextSeq: number;
  /** The newest change of a file that was told. */
  fileSeen: number;
  seen: Map<string, number>;
  cancelTrouble: () => void;
  cancelStalled: (() => void) | null;
}

const SEEN_LIMIT = 2_000;
/** When the server cannot follow a topic just now, it is asked again after this. */
const TROUBLE_MS = 2_000;
/** A log whose next line has not come this long after later ones came is asked for again. */
const STALLED_MS = 5_000;

export class Topics {
  #send: (message: object) => void;
  #clock: LiveClock;
  /** Who listens may have missed something: the server greeted before, or could not be heard. */
  #mayHaveMissed = false;
  #greeted = false;
  /** The newest change that was heard of. */
  #newest: number | null = null;
  #nextId = 1;
  #subscriptions = new Map<number, Subscription>();

  constructor(send: (message: object) => void, clock: LiveClock) {
    this.#send = send;
    this.#clock = clock;
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
      fileSeen: 0,
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

  /** The server greeted: every topic is asked for, from where it was. */
  greeted(changed: number): void {
    // A smaller number than ours means another database behind the same name.
    const foreign = this.#newest !== null && changed < this.#newest;
    this.#newest = changed;
    const missed = this.#mayHaveMissed;
    this.#mayHaveMissed = true;
    this.#greeted = true;
    for (const subscription of this.#subscriptions.values()) {
      if (foreign) subscription.since = null;
      if (missed) startOver(subscription);
      this.#request(subscription);
    }
  }

  /** The server could not be heard: what was read meanwhile may be old once it is. */
  missed(): void {
    this.#mayHaveMissed = true;
  }

  /** The connection is gone. Once greeted anew, everything is asked for anew. */
  rest(): void {
    this.#greeted = false;
    for (const subscription of this.#subscriptions.values()) cancelTimers(subscription);
  }

  /** Forgets every position, as at log-out. */
  forget(): void {
    this.#newest = null;
    this.#mayHaveMissed = false;
    for (const subscription of this.#subscriptions.values()) {
      subscription.since = null;
      subscription.fileSeen = 0;
    }
  }

  receive(message: ServerMessage): void {
    switch (message.type) {
      case "position": {
        const subscription = this.#subscriptions.get(message.id);
        if (!subscription) break;
        subscription.since = message.changed;
        // Files are counted by themselves.
        if (subscription.topic.kind !== "files") {
          this.#newest = Math.max(this.#newest ?? 0, message.changed);
        }
        subscription.handlers.onPosition?.();
        break;
      }
      case "file": {
        const subscription = this.#subscriptions.get(message.id);
        // Told before the connection broke, and not yet by a position.
        if (!subscription || message.changed <= subscription.fileSeen) break;
        subscription.fileSeen = message.changed;
        subscription.handlers.onFile?.(message.event);
        break;
      }
      case "files_missed": {
        const subscription = this.#subscriptions.get(message.id);
        if (!subscription) break;
        subscription.fileSeen = 0;
        subscription.handlers.onReset?.();
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
    const subscription = this.#subscriptions.get(id);
    if (!subscription) return;
    if (code !== UNAVAILABLE) {
      subscription.handlers.onError?.(code, text);
      return;
    }
    subscription.cancelTrouble();
    subscription.cancelTrouble = this.#clock.after(TROUBLE_MS, () => this.#askAnew(subscription));
  }

  #askAnew(subscription: Subscription): void {
    startOver(subscription);
    this.#send({ type: "unsubscribe", id: subscription.id });
    this.#request(subscription);
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
}

// Without a position the first view comes once more. What was told of it before may have
// ended since, which nobody would tell.
function startOver(subscription: Subscription): void {
  if (subscription.since !== null) return;
  subscription.seen.clear();
  subscription.fileSeen = 0;
  subscription.handlers.onReset?.();
}

function cancelTimers(subscription: Subscription): void {
  subscription.cancelTrouble();
  subscription.cancelStalled?.();
  subscription.cancelStalled = null;
}
