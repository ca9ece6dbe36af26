import { describe, expect, it } from "vitest";
import { activeWords, countActive } from "./active-words";

const states = (...given: Array<"running" | "queued">) => given.map((state) => ({ state }));

describe("what runs and what waits", () => {
  it("is counted apart", () => {
    expect(countActive(states("queued", "running", "queued"))).toEqual({ running: 1, queued: 2 });
    expect(countActive([])).toEqual({ running: 0, queued: 0 });
  });

  it("is named apart, and not at all where there is none of it", () => {
    expect(activeWords({ running: 2, queued: 3 })).toBe("2 running, 3 queued");
    expect(activeWords({ running: 0, queued: 1 })).toBe("1 queued");
    expect(activeWords({ running: 1, queued: 0 })).toBe("1 running");
    expect(activeWords({ running: 0, queued: 0 })).toBe("");
  });

  it("is said to be more where not all was told", () => {
    expect(activeWords({ running: 3, queued: 2_000 }, true)).toBe("3+ running, 2,000+ queued");
  });
});
