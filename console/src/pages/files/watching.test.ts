import { describe, expect, it } from "vitest";
import type { FileEvent } from "../../api/live";
import type { StoredFile } from "../../api/types";
import { changesOf } from "./watching";

const file = (path: string) => ({ path, size: 1 }) as StoredFile;
const event = (type: string, path: string, more: Partial<FileEvent> = {}): FileEvent => ({
  type: `file.${type}`,
  path,
  file: file(path),
  ...more,
});

describe("what was told of files", () => {
  it("is put in place, the newest of each path", () => {
    const { put, gone, deeper } = changesOf("a/", [
      event("put", "a/1"),
      event("deleted", "a/1"),
      event("deleted", "a/2"),
      event("put", "a/2"),
    ]);
    expect(put.map(({ path }) => path)).toEqual(["a/2"]);
    expect([...gone]).toEqual(["f:a/1"]);
    expect(deeper).toBe(false);
  });

  it("is gone from where it was, when it moved", () => {
    const { put, gone } = changesOf("", [event("moved", "b", { from: "a" })]);
    expect(put.map(({ path }) => path)).toEqual(["b"]);
    expect([...gone]).toEqual(["f:a"]);
  });

  it("is gone where it may not be seen any more", () => {
    const { put, gone } = changesOf("", [{ type: "file.deleted", path: "a" }]);
    expect(put).toEqual([]);
    expect([...gone]).toEqual(["f:a"]);
  });

  it("may leave a folder empty", () => {
    expect(changesOf("a/", [event("deleted", "a/b/1")]).deeper).toBe(true);
    expect(changesOf("a/", [event("put", "a/b/1")]).deeper).toBe(false);
  });
});
