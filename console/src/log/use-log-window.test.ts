import { describe, expect, it } from "vitest";
import { startFor, WINDOW_LINES, windowAt } from "./use-log-window";

const log = (last: number, first = 1) => ({ first, last });

describe("the window onto a log", () => {
  it("shows a log whole that fits", () => {
    expect(windowAt(startFor(null, log(700)), log(700))).toEqual({
      from: 1,
      to: 700,
      earlier: null,
      later: null,
    });
  });

  it("stays where it was chosen while the log grows", () => {
    const chosen = startFor(null, log(250_000));
    expect(windowAt(chosen, log(260_000))).toEqual({
      from: 150_001,
      to: 250_000,
      earlier: { lines: 150_000, line: 150_000 },
      later: { lines: 10_000, line: 250_001 },
    });
  });

  it("moves with the end while that is followed", () => {
    expect(windowAt(null, log(250_000)).from).toBe(150_001);
    expect(windowAt(null, log(260_000)).from).toBe(160_001);
  });

  it("has a line in its middle, unless that is near an end", () => {
    expect(startFor(120_000, log(1_000_000))).toBe(120_000 - WINDOW_LINES / 2);
    expect(startFor(999_999, log(1_000_000))).toBe(900_001);
    expect(startFor(5, log(1_000_000))).toBe(1);
  });

  it("begins no earlier than the log does", () => {
    expect(windowAt(1, log(1_000, 400)).from).toBe(400);
  });
});
