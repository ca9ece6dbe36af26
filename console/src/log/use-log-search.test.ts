import { describe, expect, it } from "vitest";
import { stepped } from "./use-log-search";

describe("walking the hits", () => {
  it.each([
    ["goes on to the next", 4, 1, 100, true, 5],
    ["does not go around while more are to come", 99, 1, 100, true, 99],
    ["does not go back beyond the first while more are to come", 0, -1, 100, true, 0],
    ["goes around when all are there", 99, 1, 100, false, 0],
    ["goes back around when all are there", 0, -1, 100, false, 99],
    ["starts at the first", -1, 1, 3, false, 0],
    ["stays when there is none", -1, 1, 0, false, -1],
  ] as const)("%s", (_what, at, by, hits, more, next) => {
    expect(stepped(at, by, hits, more)).toBe(next);
  });
});
