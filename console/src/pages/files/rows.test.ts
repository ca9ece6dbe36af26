import { describe, expect, it } from "vitest";
import type { Listing } from "../../api/files";
import type { StoredFile } from "../../api/types";
import {
  byBytes,
  type FolderPages,
  fileKey,
  folderKey,
  rowsOf,
  withFiles,
  withoutKeys,
} from "./rows";

const file = (path: string, more: Partial<StoredFile> = {}) =>
  ({ path, size: 1, modified_at: "2026-11-26T10:00:00Z", ...more }) as StoredFile;
const pages = (
  list: Array<{ folders?: string[]; files?: StoredFile[] }>,
  next: string | null = null,
): FolderPages => ({
  pages: list.map(({ folders = [], files = [] }, index) => ({
    folders,
    items: files,
    next: index < list.length - 1 ? "more" : next,
  })),
  pageParams: list.map(() => null),
});
const listing = (more: Partial<Listing> = {}): Listing => ({
  folder: "a/",
  sort: "name",
  order: "asc",
  ...more,
});
const paths = (data: FolderPages) => rowsOf(data).map(({ path }) => path);

describe("rows", () => {
  it("are folders and files, page after page", () => {
    const data = pages([{ folders: ["a/b/"], files: [file("a/1")] }, { files: [file("a/2")] }]);
    expect(rowsOf(data).map(({ key }) => key)).toEqual(["d:a/b/", "f:a/1", "f:a/2"]);
  });

  it("go when what they show is gone, and the others stay the same", () => {
    const data = pages([{ folders: ["a/b/"] }, { files: [file("a/1"), file("a/2")] }]);
    const rest = withoutKeys(data, new Set([folderKey("a/b/"), fileKey("a/2")]));
    expect(paths(rest)).toEqual(["a/1"]);
    expect(withoutKeys(rest, new Set(["f:nowhere"]))).toBe(rest);
  });
});

describe("a file that came", () => {
  const two = pages([{ files: [file("a/b"), file("a/d")] }, { files: [file("a/f")] }], "more");

  it("stands at its place by name", () => {
    expect(paths(withFiles(two, listing(), [file("a/c")]))).toEqual(["a/b", "a/c", "a/d", "a/f"]);
    expect(paths(withFiles(two, listing(), [file("a/a")]))[0]).toBe("a/a");
  });

  it("is left to be read beyond what was read", () => {
    expect(paths(withFiles(two, listing(), [file("a/z")]))).toHaveLength(3);
    const whole = pages([{ files: [file("a/b")] }]);
    expect(paths(withFiles(whole, listing(), [file("a/z")]))).toEqual(["a/b", "a/z"]);
  });

  it("replaces what was at its path, and moves where its order says", () => {
    const bySize = pages([{ files: [file("a/b", { size: 9 }), file("a/c", { size: 5 })] }]);
    const after = withFiles(bySize, listing({ sort: "size", order: "desc" }), [
      file("a/b", { size: 2 }),
    ]);
    expect(paths(after)).toEqual(["a/c", "a/b"]);
  });

  it("shows as its folder, once, where it lies deeper", () => {
    const data = pages([{ folders: ["a/m/"], files: [file("a/1")] }]);
    const after = withFiles(data, listing(), [file("a/k/x"), file("a/k/y"), file("a/z/x")]);
    expect(paths(after)).toEqual(["a/k/", "a/m/", "a/z/", "a/1"]);
  });

  it("is of no concern elsewhere, nor in what words found", () => {
    expect(withFiles(two, listing(), [file("b/c")])).toBe(two);
    expect(paths(withFiles(two, listing({ words: "x" }), [file("a/c")]))).toHaveLength(3);
  });

  it("is the first in an empty folder", () => {
    expect(paths(withFiles(pages([{}]), listing(), [file("a/c"), file("a/k/x")]))).toEqual([
      "a/k/",
      "a/c",
    ]);
  });
});

it("the order is that of UTF-8", () => {
  const sorted = ["a", "aa", "b", "\u{e9}", "\u{ff5e}", "\u{1f600}"];
  expect([...sorted].reverse().sort(byBytes)).toEqual(sorted);
});
