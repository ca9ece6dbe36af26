import { describe, expect, it } from "vitest";
import { afterRemoval, all, extended, moved, movedChoosing, NOTHING, toggled } from "./selection";

const KEYS = ["a", "b", "c", "d", "e"];
const chosen = ({ chosen: keys }: { chosen: ReadonlySet<string> }) => [...keys].sort().join("");

describe("choosing", () => {
  it("turns one on and off", () => {
    const once = toggled(NOTHING, "b");
    expect(chosen(once)).toBe("b");
    expect(chosen(toggled(once, "b"))).toBe("");
  });

  it("takes a range in either direction, besides what was chosen", () => {
    const start = toggled(toggled(NOTHING, "e"), "c");
    expect(chosen(extended(start, KEYS, "a"))).toBe("abce");
    expect(chosen(extended(toggled(NOTHING, "b"), KEYS, "d"))).toBe("bcd");
  });

  it("is one alone where no range has begun", () => {
    expect(chosen(extended(NOTHING, KEYS, "c"))).toBe("c");
    expect(extended(NOTHING, KEYS, "nowhere")).toBe(NOTHING);
  });

  it("takes all", () => {
    expect(chosen(all(NOTHING, KEYS))).toBe("abcde");
  });
});

describe("the keyboard", () => {
  it("begins at an end and stays within", () => {
    expect(moved(NOTHING, KEYS, 1).at).toBe("a");
    expect(moved(NOTHING, KEYS, -1).at).toBe("e");
    expect(moved({ ...NOTHING, at: "d" }, KEYS, 10).at).toBe("e");
    expect(moved(NOTHING, [], 1).at).toBeNull();
  });

  it("chooses what it passes with Shift", () => {
    const one = movedChoosing({ ...NOTHING, at: "b" }, KEYS, 1);
    const two = movedChoosing(one, KEYS, 1);
    expect(chosen(two)).toBe("bcd");
    expect(two.at).toBe("d");
  });

  it("stands on the next row when its own is gone", () => {
    const before = { ...toggled(NOTHING, "c"), at: "c" };
    const after = afterRemoval(before, KEYS, new Set(["c", "d"]));
    expect(after).toMatchObject({ at: "e", anchor: null });
    expect(chosen(after)).toBe("");
    expect(afterRemoval({ ...NOTHING, at: "e" }, KEYS, new Set(["d", "e"])).at).toBe("c");
  });
});
