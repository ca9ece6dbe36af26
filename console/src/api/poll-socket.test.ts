import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type PollBody, PollSocket } from "./poll-socket";

interface Asked {
  body: PollBody;
  signal: AbortSignal;
  answer(...messages: object[]): Promise<void>;
  fail(): Promise<void>;
}

let asked: Asked[];
let heard: Array<Record<string, unknown>>;
let closed: number;
let socket: PollSocket;

const newest = () => {
  const last = asked.at(-1);
  if (!last) throw new Error("nothing was asked");
  return last;
};
const settle = () => vi.advanceTimersByTimeAsync(150);
const subscribe = (id: number, topic: object) =>
  socket.send(JSON.stringify({ type: "subscribe", id, topic }));

beforeEach(async () => {
  vi.useFakeTimers();
  asked = [];
  heard = [];
  closed = 0;
  socket = new PollSocket(
    (body, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("aborted")));
        asked.push({
          body: structuredClone(body),
          signal,
          async answer(...messages) {
            const hello = { type: "hello", changed: 1, missing: ["Upgrade"] };
            resolve({ messages: [hello, ...messages] });
            await settle();
          },
          async fail() {
            reject(new Error("no answer"));
            await settle();
          },
        });
      }),
  );
  socket.onmessage = ({ data }) => heard.push(JSON.parse(String(data)));
  socket.onclose = () => {
    closed += 1;
  };
  await settle();
});
afterEach(() => {
  socket.close();
  vi.useRealTimers();
});

describe("polling", () => {
  it("greets once, and gives a sign of life with every further answer", async () => {
    await newest().answer();
    await newest().answer();
    expect(heard.map((message) => message.type)).toEqual(["hello", "pong"]);
  });

  it("greets with what the server says was missing", async () => {
    await newest().answer();
    expect(heard[0]).toEqual({ type: "hello", changed: 1, missing: ["Upgrade"] });
  });

  it("waits for something to happen once it is greeted", async () => {
    expect(newest().body).toEqual({ subscriptions: [], wait: 0 });
    await newest().answer();
    expect(newest().body).toEqual({ subscriptions: [] });
  });

  it("goes on from the positions that were told", async () => {
    subscribe(1, { kind: "operations", filter: {}, since: null });
    subscribe(2, { kind: "operation", operation: "a", since: null, log_from: 1 });
    await settle();
    await newest().answer(
      { type: "position", id: 1, changed: 7 },
      {
        type: "log",
        operation: "a",
        lines: [
          [1, 0, 0, "one"],
          [2, 0, 0, "two"],
        ],
      },
      { type: "log_gap", operation: "b", from: 1, to: 9, reason: "expired" },
    );
    expect(newest().body.subscriptions).toMatchObject([
      { id: 1, topic: { since: 7 } },
      { id: 2, topic: { since: null, log_from: 3 } },
    ]);
    await newest().answer({ type: "log_end", operation: "a", last_seq: 2 });
    expect(newest().body.subscriptions[1]?.topic.log_from).toBeNull();
  });

  it("moves only the log that a message continues, where two read the same one", async () => {
    subscribe(1, { kind: "operation", operation: "a", since: null, log_from: 41 });
    subscribe(2, { kind: "operation", operation: "a", since: null, log_from: 1 });
    await settle();
    await newest().answer(
      { type: "log", operation: "a", lines: [[41, 0, 0, "forty-one"]] },
      { type: "log_end", operation: "a", last_seq: 41 },
    );
    expect(newest().body.subscriptions.map(({ topic }) => topic.log_from)).toEqual([null, 1]);
  });

  it("asks anew at once for a new topic", async () => {
    const before = newest();
    subscribe(1, { kind: "operations", filter: {}, since: null });
    expect(before.signal.aborted).toBe(true);
    await settle();
    expect(newest().body.subscriptions).toHaveLength(1);
    expect(closed).toBe(0);
  });

  it("does not ask again for what is refused, and does for what is away", async () => {
    subscribe(1, { kind: "operations", filter: {}, since: null });
    subscribe(2, { kind: "operation", operation: "gone", since: null, log_from: 1 });
    await settle();
    await newest().answer(
      { type: "error", id: 1, code: "unavailable", message: "the database is away" },
      { type: "error", id: 2, code: "not-found", message: "there is none" },
    );
    await vi.advanceTimersByTimeAsync(2_000);
    expect(newest().body.subscriptions.map(({ id }) => id)).toEqual([1]);
    expect(heard.filter((message) => message.type === "error")).toMatchObject([{ id: 2 }]);
  });

  it("ends when there is no answer, or it takes too long", async () => {
    await newest().fail();
    expect(closed).toBe(1);
    expect(asked).toHaveLength(1);
  });

  it("ends when an answer takes longer than the server may", async () => {
    await vi.advanceTimersByTimeAsync(46_000);
    expect(closed).toBe(1);
  });
});
