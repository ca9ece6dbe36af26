import { describe, expect, it } from "vitest";
import type { Bundle, OperationState, PlainOperation } from "../../api/types";
import { figuresOf, hasExpired, shareOf, stageOf } from "./stage";

const counts = (queued: number, fetching: number, done: number, failed = 0) => ({
  queued,
  fetching,
  done,
  failed,
  total: queued + fetching + done + failed,
  bytes: 10 * done,
});
const bundle = (state: OperationState, message: string | null, more: Partial<Bundle> = {}) =>
  ({
    state,
    done: 0,
    failed: 0,
    bytes: 0,
    operation: {
      started_at: message === null ? null : "2026-11-21T10:00:00Z",
      progress:
        message === null ? null : { done: 3, total: 100, unit: "files", bytes: 30, message },
    } as PlainOperation,
    ...more,
  }) as Bundle;

describe("stageOf", () => {
  it.each([
    ["queued", null, "Ready"],
    ["queued", "Fetching", "Ready"],
    ["running", "Fetching", "Fetching"],
    ["running", "Zipping", "Zipping"],
    ["succeeded", "Zipping", "Done"],
    ["failed", "Fetching", "Fetching"],
    ["failed", "Zipping", "Zipping"],
    ["cancelled", "Fetching", "Fetching"],
    ["cancelled", null, "Ready"],
  ] as const)("%s while %s is %s", (state, message, stage) => {
    expect(stageOf(bundle(state, message))).toBe(stage);
  });
});

describe("shareOf", () => {
  it.each([
    ["succeeded", 100],
    ["cancelled", 3],
    ["failed", 3],
    ["running", 3],
    ["queued", 0],
  ] as const)("of a bundle that is %s at 3 of 100 is %d", (state, share) => {
    expect(shareOf(bundle(state, "Fetching"), counts(97, 0, 3))).toBe(share);
  });
});

describe("hasExpired", () => {
  it("is true of a kept zip from its time on", () => {
    const end = "2026-11-21T10:00:00Z";
    const kept = { state: "succeeded", expires_at: end } as const;
    expect(hasExpired(kept, Date.parse(end) - 1)).toBe(false);
    expect(hasExpired(kept, Date.parse(end))).toBe(true);
    expect(hasExpired({ state: "succeeded", expires_at: null }, Date.parse(end))).toBe(false);
  });
});

describe("figuresOf", () => {
  it("believes a bundle that is made, whatever is left of its log", () => {
    const made = bundle("succeeded", "Zipping", { done: 90, failed: 10, bytes: 900 });
    expect(figuresOf(made, counts(100, 0, 0), true)).toEqual({ done: 90, failed: 10, bytes: 900 });
  });

  it("counts by the log once that is read, and by the operation until then", () => {
    const running = bundle("running", "Fetching");
    expect(figuresOf(running, counts(98, 0, 1, 1), false)).toEqual({
      done: 2,
      failed: 1,
      bytes: 30,
    });
    expect(figuresOf(running, counts(97, 0, 1, 2), true)).toEqual({
      done: 1,
      failed: 2,
      bytes: 30,
    });
  });
});
