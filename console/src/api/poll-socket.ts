// A stand-in for the live socket where a proxy passes no WebSocket on. It says the
// same, by asking again and again: each request carries the positions reached, and
// the server answers when something happens.
import type { LiveSocket } from "./live";
import { readMessage, type ServerMessage, UNAVAILABLE } from "./live-messages";

export interface PollTopic {
  kind: string;
  since: number | null;
  operation?: string;
  log_from?: number | null;
}

export interface PollBody {
  subscriptions: Array<{ id: number; topic: PollTopic }>;
  /** In seconds; as long as the server likes to, when absent. */
  wait?: number;
}

/** Asks once; rejects when there is no answer. */
export type Poll = (body: PollBody, signal: AbortSignal) => Promise<{ messages: unknown[] }>;

// WebSocket.OPEN, which only browsers define.
const OPEN = 1;
/** The server answers within 20 s; a request this old has lost its way. */
const ANSWER_LIMIT_MS = 45_000;
/** Between an answer and the next request: usually, and when the server has trouble. */
const PAUSE_MS = 100;
const TROUBLE_PAUSE_MS = 2_000;

export class PollSocket implements LiveSocket {
  readyState = OPEN;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  #poll: Poll;
  #topics = new Map<number, PollTopic>();
  #subscribed = new Set<number>();
  #greeted = false;
  #closed = false;
  #pause = PAUSE_MS;
  #request = new AbortController();

  constructor(poll: Poll) {
    this.#poll = poll;
    // Who opened it has yet to say who listens.
    queueMicrotask(() => void this.#run());
  }

  send(text: string): void {
    const message = JSON.parse(text) as
      | { type: "subscribe"; id: number; topic: PollTopic }
      | { type: "unsubscribe"; id: number }
      | { type: "ping" };
    switch (message.type) {
      case "subscribe":
        this.#topics.set(message.id, message.topic);
        this.#askAnew();
        break;
      case "unsubscribe":
        this.#topics.delete(message.id);
        this.#subscribed.delete(message.id);
        this.#askAnew();
        break;
      case "ping":
        this.#say({ type: "pong" });
    }
  }

  close(): void {
    this.#closed = true;
    this.#request.abort();
  }

  // What an interrupted answer would have said is said by the next: no position moved.
  #askAnew(): void {
    this.#request.abort();
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      this.#request = new AbortController();
      const { signal } = this.#request;
      this.#pause = PAUSE_MS;
      const limit = setTimeout(() => this.#request.abort("late"), ANSWER_LIMIT_MS);
      try {
        const subscriptions = [...this.#topics].map(([id, topic]) => ({ id, topic }));
        // Nobody says what to watch before the greeting, so nothing else is waited for.
        const body = this.#greeted ? { subscriptions } : { subscriptions, wait: 0 };
        const { messages } = await this.#poll(body, signal);
        for (const message of messages) this.#hear(message as ServerMessage);
      } catch {
        if (this.#closed) return;
        if (!signal.aborted || signal.reason === "late") {
          this.#closed = true;
          this.onclose?.();
          return;
        }
      } finally {
        clearTimeout(limit);
      }
      await new Promise((resume) => setTimeout(resume, this.#pause));
    }
  }

  #hear(message: ServerMessage): void {
    if (this.#closed) return;
    switch (message.type) {
      case "hello":
        // Every answer begins with one; afterwards it is a sign of life.
        if (this.#greeted) {
          this.#say({ type: "pong" });
          return;
        }
        this.#greeted = true;
        break;
      case "subscribed":
        if (this.#subscribed.has(message.id)) return;
        this.#subscribed.add(message.id);
        break;
      case "position": {
        const topic = this.#topics.get(message.id);
        if (topic) topic.since = message.changed;
        break;
      }
      case "log": {
        const first = message.lines[0];
        const last = message.lines.at(-1);
        if (first && last) this.#logGoesOn(message.operation, first[0], last[0]);
        break;
      }
      case "log_gap":
        this.#logGoesOn(message.operation, message.from, message.to);
        break;
      case "log_end":
        for (const topic of this.#logTopics(message.operation)) {
          if (topic.log_from > message.last_seq) Object.assign(topic, { log_from: null });
        }
        break;
      case "error":
        // The next request asks again, which is what the others would not survive.
        if (message.code === UNAVAILABLE) {
          this.#pause = TROUBLE_PAUSE_MS;
          return;
        }
        this.#topics.delete(message.id ?? -1);
        break;
    }
    this.#say(message);
  }

  // A message does not say for which topic it is: it moves those that it continues.
  #logGoesOn(operation: string, from: number, to: number): void {
    for (const topic of this.#logTopics(operation)) {
      if (from <= topic.log_from && topic.log_from <= to) topic.log_from = to + 1;
    }
  }

  #logTopics(operation: string): Array<PollTopic & { log_from: number }> {
    return [...this.#topics.values()].filter(
      (topic): topic is PollTopic & { log_from: number } =>
        topic.operation === operation && typeof topic.log_from === "number",
    );
  }

  #say(message: ServerMessage): void {
    // Listeners read text, as from a socket; what is no message is skipped there, too.
    const data = JSON.stringify(message);
    if (readMessage(data)) this.onmessage?.({ data });
  }
}
