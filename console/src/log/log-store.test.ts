import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LiveLine } from "../api/live";
import { type FetchedLines, LogStore, MOST_BYTES, PAGE_LINES } from "./log-store";

const line = (seq: number): LiveLine => ({ seq, time: seq, stream: "stdout", text: `line ${seq}` });
const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => line(from + i));

let asked: Array<[number, number]>;
let answer: (from: number, limit: number) => Promise<FetchedLines>;
const logOf =
  (length: number, firstSeq = 1) =>
  async (from: number, limit: number) => ({
    lines: lines(Math.max(from, firstSeq), Math.min(from + limit - 1, length)),
    firstSeq,
    lastSeq: length,
    ended: false,
  });
const store = (last: number) =>
  new LogStore((from, limit) => {
    asked.push([from, limit]);
    return answer(from, limit);
  }, last);

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  answer = logOf(10_000);
});
afterEach(() => vi.useRealTimers());

describe("LogStore", () => {
  it("takes live lines and tells its readers once a burst", async () => {
    const log = store(0);
    let told = 0;
    log.onChange(() => (told += 1));
    log.push(lines(1, 10));
    log.push(lines(11, 20));
    await vi.advanceTimersByTimeAsync(20);
    expect(log.last).toBe(20);
    expect(log.line(7)?.text).toBe("line 7");
    expect(told).toBe(1);
  });

  it("asks only for pages that are not at hand, and once", async () => {
    const log = store(2_000);
    log.push(lines(1_501, 2_000));
    log.want(1_400, 1_600);
    log.want(1_400, 1_600);
    await vi.advanceTimersByTimeAsync(20);
    expect(asked).toEqual([[1_001, PAGE_LINES]]);
    expect(log.line(1_400)?.seq).toBe(1_400);
    log.want(1_400, 1_600);
    expect(asked).toHaveLength(1);
  });

  it("fills the part of a page that came before the live end", async () => {
    const log = store(700);
    log.push(lines(650, 700));
    log.want(600, 700);
    await vi.advanceTimersByTimeAsync(20);
    expect(log.line(501)?.seq).toBe(501);
  });

  it("begins where the log begins when its start has expired", async () => {
    answer = logOf(1_000, 321);
    const log = store(1_000);
    log.want(1, 400);
    await vi.advanceTimersByTimeAsync(20);
    expect(log.first).toBe(321);
    expect(log.gapAt(5)).toBe("expired");
    expect(log.gapAt(321)).toBeUndefined();
  });

  it("does not ask again for lines that are gone", async () => {
    const log = store(0);
    log.push(lines(1, 10));
    log.gap(11, 20, "not sent");
    log.push(lines(21, 30));
    log.want(1, 30);
    expect(asked).toEqual([]);
  });

  it("stays bounded in a log of a million lines", async () => {
    answer = logOf(1_000_000);
    const log = store(1_000_000);
    for (let from = 1; from < 400_000; from += 5_000) {
      log.want(from, from + 4_999);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(log.held).toBeLessThanOrEqual(240 * PAGE_LINES);
    expect(log.line(399_000)?.seq).toBe(399_000);
    expect(log.line(1)).toBeUndefined();
  });

  it("stays bounded in bytes when lines are long", () => {
    const log = store(0);
    const long = "x".repeat(16 * 1024);
    for (let from = 1; from < 8_000; from += 500) {
      log.push(lines(from, from + 499).map((each) => ({ ...each, text: long })));
      expect(log.bytes).toBeLessThanOrEqual(MOST_BYTES + 500 * 33 * 1024);
    }
    expect(log.line(8_000)?.text).toBe(long);
    expect(log.line(1)).toBeUndefined();
  });

  it("keeps an error until it is told to try again", async () => {
    answer = () => Promise.reject(new Error("no"));
    const log = store(100);
    log.want(1, 50);
    await vi.advanceTimersByTimeAsync(20);
    expect(log.error).toEqual(new Error("no"));
    log.want(1, 50);
    expect(asked).toHaveLength(1);
    answer = logOf(100);
    log.retry();
    log.want(1, 50);
    await vi.advanceTimersByTimeAsync(20);
    expect(log.line(50)?.seq).toBe(50);
  });
});
