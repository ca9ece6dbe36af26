import { describe, expect, it } from "vitest";
import type { StoredFile } from "../../api/types";
import { amountOf, amountWords, foldersIn, knownWords } from "./amount";
import { fileKey, folderKey, type Row } from "./rows";

const file = (path: string, size: number): Row => ({
  kind: "file",
  key: fileKey(path),
  path,
  file: { path, size } as StoredFile,
});
const folder = (path: string): Row => ({ kind: "folder", key: folderKey(path), path });
const sum = (files: number, bytes: number, more = false) => ({
  data: { files, bytes, more },
  error: null,
});

describe("how much is chosen", () => {
  const rows = [folder("a/"), file("x", 5), folder("b/")];

  it("is the files and what is in the folders", () => {
    expect(foldersIn(rows)).toEqual(["a/", "b/"]);
    const known = amountOf(rows, [sum(2, 10), sum(1, 2000)]);
    expect(known).toEqual({ files: 4, bytes: 2015, more: false });
    expect(knownWords(known)).toBe("4 files, 1.97 KiB");
    expect(amountWords({ files: 1, bytes: 0, more: false })).toBe("1 file, 0 B");
  });

  it("is more where the server or this page counted no further", () => {
    const most = amountOf(rows, [sum(100_000, 10, true), sum(1, 2)]);
    expect(knownWords(most)).toBe("more than 100,002 files and 17 B");
    expect(amountOf(rows, [sum(2, 10)])).toEqual({ files: 3, bytes: 15, more: true });
  });

  it("is not told before it is known, nor where it is not", () => {
    expect(amountOf(rows, [sum(2, 10), { data: undefined, error: null }])).toBe("counting");
    const error = new Error("forbidden");
    const unknown = amountOf(rows, [sum(2, 10), { data: undefined, error }]);
    expect(unknown).toEqual({ error });
    expect(knownWords(unknown)).toBe("size not known");
  });
});
