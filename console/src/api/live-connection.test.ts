import { beforeEach, describe, expect, it } from "vitest";
import type { Live } from "./live";
import { type FakeClock, type FakeSocket, LiveBench } from "./live-bench";

let bench: LiveBench;
let live: Live;
let clock: FakeClock;
let sockets: FakeSocket[];
let ways: string[];
const newest = () => bench.newest();

beforeEach(() => {
  bench = new LiveBench();
  ({ live, clock, sockets, ways } = bench);
});

describe("waiting", () => {
  it("waits longer after each failure and tries at once when asked", () => {
    live.start();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      newest().breaks();
      const status = live.status();
      if (status.phase !== "waiting") throw new Error("should be waiting");
      waits.push(status.retryAt - clock.now());
      clock.advance(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
    expect(bench.refusals).toBe(8);
    newest().breaks();
    const before = sockets.length;
    live.retry();
    expect(sockets.length).toBe(before + 1);
    expect(live.status().phase).toBe("connecting");
  });

  it("replaces a socket that gives no sign of life", () => {
    live.start();
    newest().says({ type: "hello", changed: 0 });
    clock.advance(45_000);
    expect(newest().sent.at(-1)).toEqual({ type: "ping" });
    clock.advance(10_000);
    expect(live.status().phase).toBe("waiting");
    expect(sockets[0]?.closed).toBe(true);
  });

  it("keeps a quiet socket that answers", () => {
    live.start();
    newest().says({ type: "hello", changed: 0 });
    clock.advance(45_000);
    newest().says({ type: "pong" });
    clock.advance(10_000);
    expect(live.status().phase).toBe("open");
    expect(sockets).toHaveLength(1);
  });

  it("stays silent after a stop", () => {
    live.start();
    newest().says({ type: "hello", changed: 0 });
    live.stop();
    clock.advance(120_000);
    expect(sockets).toHaveLength(1);
    expect(live.status()).toEqual({ phase: "stopped" });
  });
});

describe("a proxy that passes no sockets on", () => {
  const refuse = (times: number) => {
    for (let attempt = 0; attempt < times; attempt += 1) {
      newest().breaks();
      clock.advance(20_000);
    }
  };

  // The server answers a poll, and one more socket is refused.
  const prove = () => {
    refuse(3);
    newest().says({ type: "hello", changed: 4 });
    refuse(1);
  };

  it("is gone around by polling after four refusals, with the same topics", () => {
    live.subscribe({ kind: "operations", filter: {} }, {});
    live.start();
    refuse(3);
    expect(ways).toEqual(["socket", "socket", "socket", "poll"]);
    newest().says({ type: "hello", changed: 4 });
    refuse(1);
    expect(ways.slice(4)).toEqual(["socket", "poll"]);
    newest().says({ type: "hello", changed: 4 });
    expect(live.status()).toEqual({ phase: "open", polling: true, missing: [] });
    expect(newest().sent[0]?.topic).toMatchObject({ kind: "operations", since: null });
  });

  it("is not suspected where the server was away, and a socket opens once it is back", () => {
    live.start();
    refuse(3);
    expect(ways.at(-1)).toBe("poll");
    newest().says({ type: "hello", changed: 4 });
    expect(ways.at(-1)).toBe("socket");
    expect(bench.greetings).toBe(0);
    newest().says({ type: "hello", changed: 4 });
    expect(live.status()).toEqual({ phase: "open", polling: false });
    // Away once more, it is asked once more.
    newest().breaks();
    clock.advance(20_000);
    refuse(3);
    newest().says({ type: "hello", changed: 4 });
    expect(ways.at(-1)).toBe("socket");
  });

  it("is tried again after five minutes, and polling goes on at once when it still refuses", () => {
    live.start();
    prove();
    newest().says({ type: "hello", changed: 4 });
    for (let minute = 0; minute < 10; minute += 1) {
      clock.advance(30_000);
      newest().says({ type: "pong" });
    }
    expect(ways.at(-1)).toBe("socket");
    refuse(1);
    expect(ways.at(-1)).toBe("poll");
    newest().says({ type: "hello", changed: 4 });
    expect(live.status()).toMatchObject({ phase: "open", polling: true });
  });

  it("is told of by the headers that the server missed, until a socket opens", () => {
    live.start();
    prove();
    newest().says({ type: "hello", changed: 4, missing: ["Upgrade"] });
    expect(live.status()).toEqual({ phase: "open", polling: true, missing: ["Upgrade"] });
    for (let minute = 0; minute < 10; minute += 1) {
      clock.advance(30_000);
      newest().says({ type: "pong" });
    }
    newest().says({ type: "hello", changed: 4 });
    expect(live.status()).toEqual({ phase: "open", polling: false });
  });

  it("is not suspected when polling finds nobody either", () => {
    live.start();
    refuse(4);
    expect(ways).toEqual(["socket", "socket", "socket", "poll", "socket"]);
  });
});

describe("the greeting", () => {
  it("is told each time, as another may have logged in meanwhile", () => {
    live.start();
    newest().says({ type: "hello", changed: 1 });
    newest().breaks();
    clock.advance(600);
    newest().says({ type: "hello", changed: 1 });
    expect(bench.greetings).toBe(2);
  });
});
