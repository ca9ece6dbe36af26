import { describe, expect, it } from "vitest";
import { afterScroll, newLines } from "./follow";

const view = (scrollTop: number) => ({ scrollTop, scrollHeight: 1000, clientHeight: 200 });
const following = { following: true, leftAt: 0 };

describe("following", () => {
  it("stops at the first step up", () => {
    expect(afterScroll(following, 800, view(780), 50, true)).toEqual({
      following: false,
      leftAt: 50,
    });
  });

  it("goes on when new lines push the end away without the reader moving", () => {
    expect(afterScroll(following, 700, view(700), 50, true)).toBe(following);
  });

  it("resumes at the end", () => {
    const away = { following: false, leftAt: 50 };
    expect(afterScroll(away, 700, view(799), 90, true)).toEqual({ following: true, leftAt: 90 });
  });

  it("does not resume at the end of a window that has later lines", () => {
    const away = { following: false, leftAt: 50 };
    expect(afterScroll(away, 700, view(799), 90, false)).toBe(away);
  });

  it("does not resume on the way down", () => {
    const away = { following: false, leftAt: 50 };
    expect(afterScroll(away, 300, view(500), 90, true)).toBe(away);
  });

  it("counts what came since it stopped", () => {
    expect(newLines({ following: false, leftAt: 50 }, 87)).toBe(37);
    expect(newLines(following, 87)).toBe(0);
  });
});
