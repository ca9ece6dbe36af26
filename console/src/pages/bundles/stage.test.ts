import { describe, expect, it } from "vitest";
import type { OperationState } from "../../api/types";
import { stageOf } from "./stage";

const counts = (queued: number, fetching: number, done: number, failed = 0) => ({
  queued,
  fetching,
  done,
  failed,
  total: queued + fetching + done + failed,
  bytes: 0,
});

describe("stageOf", () => {
  it.each([
    ["queued", counts(3, 0, 0), "Ready"],
    ["running", counts(3, 0, 0), "Fetching"],
    ["running", counts(0, 1, 2), "Fetching"],
    ["running", counts(0, 0, 2, 1), "Zipping"],
    ["running", counts(0, 0, 0), "Fetching"],
    ["succeeded", counts(0, 0, 3), "Done"],
    ["failed", counts(1, 0, 2), "Done"],
  ] as const)("%s with %j is %s", (state, seen, stage) => {
    expect(stageOf({ state: state as OperationState }, seen)).toBe(stage);
  });
});
