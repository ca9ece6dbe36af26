import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { MOST_TOLD, OperationFeed } from "./feed";
import { LiveBench, operation } from "./live-bench";

let bench: LiveBench;
let feed: OperationFeed;
let leave: () => void;
const says = (message: object) => bench.newest().says(message);
const told = () => new Promise<void>((done) => queueMicrotask(done));
const running = (id: string, changed: number) => operation(id, changed, { state: "running" });

beforeEach(() => {
  bench = new LiveBench();
  feed = new OperationFeed();
  leave = feed.attach(bench.live);
  bench.live.start();
  says({ type: "hello", changed: 3 });
});

describe("what runs", () => {
  it("is not known before all that stood at the beginning was told", async () => {
    expect(feed.view()).toEqual({ active: [], whole: false, more: false });
    says(running("a", 1));
    await told();
    expect(feed.view()).toMatchObject({ active: [{ id: "a" }], whole: false });
    says({ type: "position", id: 1, changed: 3 });
    await told();
    expect(feed.view()).toMatchObject({ active: [{ id: "a" }], whole: true, more: false });
  });

  it("is known to be nothing once that was told", async () => {
    says({ type: "position", id: 1, changed: 3 });
    await told();
    expect(feed.view()).toEqual({ active: [], whole: true, more: false });
  });

  it("stays known over a break that is resumed, and is asked for anew after another one", async () => {
    says({ type: "position", id: 1, changed: 3 });
    bench.newest().breaks();
    bench.clock.advance(600);
    says({ type: "hello", changed: 4 });
    await told();
    expect(feed.view().whole).toBe(true);
    bench.newest().breaks();
    bench.clock.advance(1_500);
    // Another database, which counts from below.
    says({ type: "hello", changed: 1 });
    await told();
    expect(feed.view().whole).toBe(false);
  });

  it("is told anew after a first view that broke off", async () => {
    says(running("a", 1));
    says({ type: "error", id: 1, code: "unavailable", message: "the database is away" });
    // It ends meanwhile, of which nobody tells.
    bench.clock.advance(2_000);
    says({ type: "position", id: 1, changed: 4 });
    await told();
    expect(feed.view()).toEqual({ active: [], whole: true, more: false });
  });

  it("is forgotten by who leaves", async () => {
    says(running("a", 1));
    says({ type: "position", id: 1, changed: 3 });
    leave();
    await told();
    expect(feed.view()).toEqual({ active: [], whole: false, more: false });
  });

  it("may be more than was told where the server tells no more", async () => {
    for (let i = 0; i < MOST_TOLD - 1; i += 1) says(running(`r${i}`, i + 1));
    says(operation("q", MOST_TOLD, { state: "queued" }));
    says({ type: "position", id: 1, changed: MOST_TOLD });
    await told();
    expect(feed.view()).toMatchObject({ whole: true, more: false });

    const full = new LiveBench();
    const second = new OperationFeed();
    second.attach(full.live);
    full.live.start();
    full.newest().says({ type: "hello", changed: 3 });
    for (let i = 0; i < MOST_TOLD; i += 1) full.newest().says(running(`r${i}`, i + 1));
    full.newest().says({ type: "position", id: 1, changed: MOST_TOLD });
    await told();
    expect(second.view().more).toBe(true);
  });

  it("is told by the server up to the number that the console knows", () => {
    const source = readFileSync("../crates/web/src/live/follower.rs", "utf8");
    expect(source).toContain(`const STANDING: usize = ${MOST_TOLD};`);
  });
});
