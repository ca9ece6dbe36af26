import { beforeEach, describe, expect, it } from "vitest";
import type { Live } from "./live";
import { type FakeClock, LiveBench, log, operation } from "./live-bench";

let bench: LiveBench;
let live: Live;
let clock: FakeClock;
const newest = () => bench.newest();
const reading = (id: string) => bench.reading(id);

beforeEach(() => {
  bench = new LiveBench();
  ({ live, clock } = bench);
});

describe("subscribing", () => {
  it("waits for the greeting before it asks for anything", () => {
    live.start();
    live.subscribe({ kind: "operations", filter: {} }, {});
    expect(newest().sent).toEqual([]);
    newest().says({ type: "hello", changed: 7 });
    expect(newest().sent).toEqual([
      { type: "subscribe", id: 1, topic: { kind: "operations", filter: {}, since: null } },
    ]);
  });

  it("reads anew what was read while the server could not be heard", () => {
    const resetsAfter = (refusals: number) => {
      const line = new LiveBench();
      let resets = 0;
      line.live.subscribe({ kind: "operations", filter: {} }, { onReset: () => (resets += 1) });
      line.live.start();
      for (let i = 0; i < refusals; i += 1) {
        line.newest().breaks();
        line.clock.advance(600);
      }
      line.newest().says({ type: "hello", changed: 3 });
      return resets;
    };
    expect([resetsAfter(0), resetsAfter(1)]).toEqual([0, 1]);
  });

  it("hands a change to every topic that it concerns, once each", () => {
    const all: number[] = [];
    const one: number[] = [];
    const children: number[] = [];
    live.start();
    newest().says({ type: "hello", changed: 0 });
    live.subscribe({ kind: "operations", filter: {} }, { onOperation: (o) => all.push(o.changed) });
    live.subscribe(
      { kind: "operation", operation: "a", logFrom: null },
      { onOperation: (o) => one.push(o.changed) },
    );
    live.subscribe(
      { kind: "operations", filter: { parent: "p" } },
      { onOperation: (o) => children.push(o.changed) },
    );
    newest().says(operation("a", 1));
    newest().says(operation("a", 1));
    newest().says(operation("b", 2, { parent: "p" }));
    newest().says(operation("a", 3));
    expect(all).toEqual([1, 2, 3]);
    expect(one).toEqual([1, 3]);
    expect(children).toEqual([2]);
  });

  it("skips messages of a type it has never heard of", () => {
    live.start();
    newest().says({ type: "hello", changed: 0 });
    newest().says({ type: "weather", sun: true });
    newest().onmessage?.({ data: "{" });
    expect(live.status()).toEqual({ phase: "open", polling: false });
  });
});

describe("a cut connection", () => {
  it("resumes changes from the last position, not from the last change", () => {
    live.start();
    live.subscribe({ kind: "operations", filter: {} }, {});
    newest().says({ type: "hello", changed: 3 });
    newest().says({ type: "subscribed", id: 1 });
    newest().says({ type: "position", id: 1, changed: 10 });
    newest().says(operation("a", 14));
    newest().breaks();
    clock.advance(600);
    newest().says({ type: "hello", changed: 20 });
    expect(newest().sent).toEqual([
      { type: "subscribe", id: 1, topic: { kind: "operations", filter: {}, since: 10 } },
    ]);
  });

  it("resumes each topic from its own position, as one may be behind another", () => {
    live.start();
    live.subscribe({ kind: "operations", filter: {} }, {});
    live.subscribe({ kind: "operations", filter: { kind: "bundle" } }, {});
    newest().says({ type: "hello", changed: 3 });
    newest().says({ type: "position", id: 2, changed: 5 });
    newest().says({ type: "position", id: 1, changed: 9 });
    newest().breaks();
    clock.advance(600);
    newest().says({ type: "hello", changed: 20 });
    expect(newest().sent.map((message) => (message.topic as { since: number }).since)).toEqual([
      9, 5,
    ]);
  });

  it("does not repeat a change that the server replays", () => {
    const seen: number[] = [];
    live.start();
    live.subscribe(
      { kind: "operations", filter: {} },
      { onOperation: (o) => seen.push(o.changed) },
    );
    newest().says({ type: "hello", changed: 3 });
    newest().says({ type: "subscribed", id: 1 });
    newest().says({ type: "position", id: 1, changed: 10 });
    newest().says(operation("a", 14));
    newest().breaks();
    clock.advance(600);
    newest().says({ type: "hello", changed: 20 });
    newest().says(operation("b", 12));
    newest().says(operation("a", 14));
    newest().says(operation("a", 15));
    expect(seen).toEqual([14, 12, 15]);
  });

  it("resumes a log at the line after the last, and drops repeated lines", () => {
    const { lines, gaps } = reading("a");
    live.start();
    newest().says({ type: "hello", changed: 0 });
    newest().says(log("a", 1, 40));
    newest().breaks();
    clock.advance(600);
    newest().says({ type: "hello", changed: 0 });
    expect(newest().sent[0]?.topic).toMatchObject({ operation: "a", log_from: 41 });
    newest().says(log("a", 39, 60));
    expect(lines.map((line) => line.seq)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(gaps).toEqual([]);
  });

  it("asks for a fresh view when the first snapshot had not wholly arrived", () => {
    let resets = 0;
    live.start();
    live.subscribe({ kind: "operations", filter: {} }, { onReset: () => (resets += 1) });
    newest().says({ type: "hello", changed: 9 });
    newest().says({ type: "subscribed", id: 1 });
    newest().breaks();
    clock.advance(600);
    newest().says({ type: "hello", changed: 11 });
    expect(resets).toBe(1);
    expect(newest().sent[0]?.topic).toMatchObject({ since: null });
  });

  it("starts over when the server counts from below our position", () => {
    let resets = 0;
    live.start();
    live.subscribe({ kind: "operations", filter: {} }, { onReset: () => (resets += 1) });
    newest().says({ type: "hello", changed: 900 });
    newest().says({ type: "subscribed", id: 1 });
    newest().says({ type: "position", id: 1, changed: 901 });
    newest().breaks();
    clock.advance(600);
    newest().says({ type: "hello", changed: 4 });
    expect(resets).toBe(1);
    expect(newest().sent[0]?.topic).toMatchObject({ since: null });
  });
});

describe("the log", () => {
  it("names lines that the server says are gone", () => {
    const { lines, gaps } = reading("a");
    live.start();
    newest().says({ type: "hello", changed: 0 });
    newest().says({ type: "log_gap", operation: "a", from: 1, to: 5, reason: "expired" });
    newest().says(log("a", 6, 7));
    expect(gaps).toEqual([[1, 5, "expired"]]);
    expect(lines.map((line) => line.seq)).toEqual([6, 7]);
  });

  it("leaves lines beyond the next one to the subscription that they were sent for", () => {
    live.start();
    newest().says({ type: "hello", changed: 0 });
    const before = live.subscribe({ kind: "operation", operation: "a", logFrom: 5_001 }, {});
    before();
    const { lines, gaps, ends } = reading("a");
    newest().says(log("a", 5_001, 5_010));
    newest().says({ type: "log_gap", operation: "a", from: 5_011, to: 5_020, reason: "expired" });
    newest().says({ type: "log_end", operation: "a", last_seq: 5_020 });
    newest().says(log("a", 1, 4));
    expect(gaps).toEqual([]);
    expect(ends).toEqual([]);
    expect(lines.map((line) => line.seq)).toEqual([1, 2, 3, 4]);
    clock.advance(5_000);
    expect(newest().sent.filter(({ type }) => type === "subscribe")).toHaveLength(2);
  });

  it("is asked for again when its next line does not come", () => {
    const { lines, gaps } = reading("a");
    live.start();
    newest().says({ type: "hello", changed: 0 });
    newest().says(log("a", 1, 2));
    newest().says(log("a", 5, 6));
    clock.advance(5_000);
    expect(newest().sent.slice(1)).toMatchObject([
      { type: "unsubscribe", id: 1 },
      { type: "subscribe", id: 1, topic: { log_from: 3 } },
    ]);
    newest().says(log("a", 3, 6));
    expect(lines.map((line) => line.seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(gaps).toEqual([]);
  });

  it("ends for a reader when it has every line", () => {
    const { ends } = reading("a");
    live.start();
    newest().says({ type: "hello", changed: 0 });
    newest().says(log("a", 1, 2));
    newest().says({ type: "log_end", operation: "a", last_seq: 2 });
    expect(ends).toEqual([2]);
  });
});

describe("a topic that cannot be followed just now", () => {
  it("is asked for again from where it was", () => {
    const errors: string[] = [];
    live.subscribe({ kind: "operations", filter: {} }, { onError: (code) => errors.push(code) });
    live.start();
    newest().says({ type: "hello", changed: 4 });
    newest().says({ type: "position", id: 1, changed: 8 });
    newest().says({ type: "error", id: 1, code: "unavailable", message: "the database is away" });
    clock.advance(2_000);
    expect(newest().sent.slice(1)).toEqual([
      { type: "unsubscribe", id: 1 },
      { type: "subscribe", id: 1, topic: { kind: "operations", filter: {}, since: 8 } },
    ]);
    expect(errors).toEqual([]);
  });

  const inTrouble = () => {
    live.subscribe({ kind: "operations", filter: {} }, {});
    live.start();
    newest().says({ type: "hello", changed: 4 });
    newest().says({ type: "error", id: 1, code: "unavailable", message: "the database is away" });
  };

  it("is asked for once when the connection was renewed meanwhile", () => {
    inTrouble();
    newest().breaks();
    clock.advance(600);
    newest().says({ type: "hello", changed: 4 });
    clock.advance(2_000);
    expect(newest().sent.map(({ type }) => type)).toEqual(["subscribe"]);
  });

  it("is not asked for after a stop, nor once nobody listens", () => {
    inTrouble();
    const asked = newest().sent.length;
    live.stop();
    clock.advance(2_000);
    expect(newest().sent).toHaveLength(asked);
    expect(clock.timers).toEqual([]);
  });
});

describe("files", () => {
  const event = (path: string) => ({ type: "file.put", path });

  it("go to the subscription that asked for them, and are counted by themselves", () => {
    const covers: string[] = [];
    const docs: string[] = [];
    live.start();
    newest().says({ type: "hello", changed: 4 });
    live.subscribe(
      { kind: "files", bucket: "files", prefix: "covers/" },
      { onFile: ({ path }) => covers.push(path) },
    );
    live.subscribe(
      { kind: "files", bucket: "files", prefix: "docs/" },
      { onFile: ({ path }) => docs.push(path) },
    );
    expect(newest().sent[0]?.topic).toEqual({
      kind: "files",
      bucket: "files",
      prefix: "covers/",
      since: null,
    });
    newest().says({ type: "position", id: 1, changed: 900 });
    newest().says({ type: "file", id: 1, changed: 901, event: event("covers/a") });
    newest().says({ type: "file", id: 2, changed: 902, event: event("docs/a") });
    expect([covers, docs]).toEqual([["covers/a"], ["docs/a"]]);
    // A smaller number in the greeting is no other database: it counts operations.
    newest().breaks();
    clock.advance(600);
    newest().says({ type: "hello", changed: 5 });
    expect(newest().sent[0]?.topic).toMatchObject({ prefix: "covers/", since: 900 });
    newest().says({ type: "file", id: 1, changed: 901, event: event("covers/a") });
    newest().says({ type: "file", id: 1, changed: 903, event: event("covers/b") });
    expect(covers).toEqual(["covers/a", "covers/b"]);
  });

  it("that are not kept any more are read anew", () => {
    let resets = 0;
    live.start();
    newest().says({ type: "hello", changed: 4 });
    live.subscribe(
      { kind: "files", bucket: "files", prefix: "" },
      { onReset: () => (resets += 1) },
    );
    newest().says({ type: "files_missed", id: 1 });
    newest().says({ type: "files_missed", id: 7 });
    expect(resets).toBe(1);
  });
});
