import { describe, expect, it } from "vitest";
import type { When } from "../../api/types";
import { type FileSeen, matchesOf, means, sourceMatchWords, targetMatchWords } from "./matches";

const NONE: When = { types: [], min_size: null, max_size: null, prefix: "", metadata: {} };
const when = (change: object): When => ({ ...NONE, ...change });
const file = (change: object): FileSeen => ({
  path: "x/a",
  type: "image/png",
  size: 3,
  metadata: { album: "blue", tags: ["a", "b"] } as unknown as Record<string, never>,
  ...change,
});

describe("what a rule means", () => {
  it("is what the server takes", () => {
    for (const [condition, seen, expected] of [
      [{}, {}, true],
      [{ types: ["image/*"] }, {}, true],
      [{ types: ["image/*"] }, { type: "IMAGE/PNG; q=1" }, true],
      [{ types: ["image/*"] }, { type: "imagery/png" }, false],
      [{ types: ["image/png"] }, { type: "image/jpeg" }, false],
      [{ types: ["image"] }, {}, false],
      [{ types: ["*"] }, { type: "" }, true],
      [{ types: ["text/plain", "*/*"] }, {}, true],
      [{ prefix: "x/" }, {}, true],
      [{ prefix: "y/" }, {}, false],
      [{ max_size: 3 }, {}, true],
      [{ max_size: 2 }, {}, false],
      [{ min_size: 4 }, {}, false],
      [{ metadata: { album: "blue" } }, {}, true],
      [{ metadata: { album: "red" } }, {}, false],
      [{ metadata: { tags: ["a", "b"] } }, {}, true],
      [{ metadata: { tags: ["b", "a"] } }, {}, false],
      [{ metadata: { other: "blue" } }, {}, false],
      [{ metadata: { gpsLatitude: 54.3 } }, { latitude: 54.3 }, true],
      [{ metadata: { dateTaken: "2026" } }, {}, false],
    ] as const) {
      const said = `${JSON.stringify(condition)} ${JSON.stringify(seen)}`;
      expect(means(when(condition), file(seen)), said).toBe(expected);
    }
  });

  it("goes to the first target that takes it, and is counted there", () => {
    const files = [file({}), file({ type: "text/plain" }), file({ type: "video/mp4" })];
    const targets = [{ types: ["image/*"] }, { types: ["image/*", "text/*"] }].map(when);
    const matches = matchesOf({ files, more: false }, targets);
    expect(matches.targets).toEqual([
      { fits: 1, gets: 1 },
      { fits: 2, gets: 1 },
    ]);
    expect(sourceMatchWords(matches)).toBe("3 files are there now; 1 of them goes to no target.");
    expect(targetMatchWords(matches, 0)).toBe("Gets 1 of 3 files.");
    expect(targetMatchWords(matches, 1)).toBe(
      "Gets 1 of 3 files; 1 more fits, and goes to an earlier target.",
    );
    expect(targetMatchWords(matches, 2)).toBeNull();
  });

  it("says that not all were counted, and that nothing is there", () => {
    const some = matchesOf({ files: [file({})], more: true }, [NONE]);
    expect(sourceMatchWords(some)).toBe(
      "More than 1 file are there; the first 1 are counted here.",
    );
    expect(targetMatchWords(some, 0)).toBe("Gets 1 of the first 1 file.");
    const none = matchesOf({ files: [], more: false }, [NONE]);
    expect(sourceMatchWords(none)).toBe("No file is there yet.");
    expect(targetMatchWords(none, 0)).toBeNull();
  });
});
