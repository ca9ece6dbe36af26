import { describe, expect, it } from "vitest";
import type { LiveStatus } from "../../api/live";
import type { Bundle, OperationState, PlainOperation } from "../../api/types";
import { paceWords } from "./pace";

const bundle = (state: OperationState, message: string, kept = true) =>
  ({
    state,
    kept,
    operation: {
      started_at: "2026-11-21T10:00:00Z",
      progress: { done: 1, unit: "files", message },
    } as PlainOperation,
  }) as Bundle;
const still = { rate: 0, left: null, stalled: 12_000 };

describe("a bundle without new bytes", () => {
  it.each<[string, OperationState, string, LiveStatus["phase"], RegExp]>([
    ["waits for its turn while queued", "queued", "Fetching", "open", /^waiting for its turn$/],
    ["is being finished while zipping", "running", "Zipping", "open", /^finishing the zip$/],
    ["is unknown while our connection is lost", "running", "Fetching", "waiting", /lost/],
    [
      "waits for slow origins otherwise",
      "running",
      "Fetching",
      "open",
      /12 s: the origins are slow/,
    ],
  ])("%s", (_what, state, message, connection, words) => {
    expect(paceWords(bundle(state, message), connection, still).left).toMatch(words);
  });

  it("may wait for who takes it when it is streamed", () => {
    const words = paceWords(bundle("running", "Fetching", false), "open", still);
    expect(words.left).toMatch(/who takes the zip/);
  });
});
