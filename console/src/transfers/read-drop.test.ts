import { describe, expect, it, vi } from "vitest";
import { type Found, readChosen, readDrop, takeDrop } from "./read-drop";

const file = (name: string) =>
  ({
    name,
    isFile: true,
    isDirectory: false,
    file: (resolve: (file: File) => void) => resolve(new File([name], name)),
  }) as unknown as FileSystemEntry;

const broken = (name: string) =>
  ({
    name,
    isFile: true,
    isDirectory: false,
    file: (_: unknown, reject: (error: Error) => void) => reject(new Error("It is locked")),
  }) as unknown as FileSystemEntry;

// Gives two at a time, as browsers give a hundred.
const folder = (name: string, children: FileSystemEntry[]) =>
  ({
    name,
    isFile: false,
    isDirectory: true,
    createReader: () => {
      const left = [...children];
      return {
        readEntries: (resolve: (entries: FileSystemEntry[]) => void) => resolve(left.splice(0, 2)),
      };
    },
  }) as unknown as FileSystemEntry;

async function pathsOf(entries: FileSystemEntry[], unreadable = vi.fn()) {
  const batches: Found[][] = [];
  for await (const batch of readDrop({ entries, files: [] }, unreadable)) batches.push(batch);
  return { paths: batches.flat().map(({ path }) => path), sizes: batches.map((b) => b.length) };
}

describe("what is dropped", () => {
  it("keeps the tree of folders, and reads all of each", async () => {
    const tree = folder("a", [file("1"), file("2"), folder("b", [file("3")]), folder("empty", [])]);
    expect((await pathsOf([file("top"), tree])).paths).toEqual(["top", "a/1", "a/2", "a/b/3"]);
  });

  it("passes over what cannot be read, and tells of it", async () => {
    const unreadable = vi.fn();
    const { paths } = await pathsOf([folder("a", [broken("x"), file("y")])], unreadable);
    expect(paths).toEqual(["a/y"]);
    expect(unreadable).toHaveBeenCalledWith({ path: "a/x", reason: "It is locked" });
  });

  it("is handed on in batches", async () => {
    const many = folder(
      "many",
      Array.from({ length: 450 }, (_, i) => file(`${i}`)),
    );
    expect((await pathsOf([many])).sizes).toEqual([200, 200, 50]);
  });

  it("is taken as plain files where there are no entries", () => {
    const plain = new File([""], "plain.txt");
    const data = { items: [{ kind: "string" }], files: [plain] } as unknown as DataTransfer;
    expect(takeDrop(data)).toEqual({ entries: [], files: [plain] });
  });
});

describe("what is chosen in a field", () => {
  it("has its path below the chosen folder, where it was one", () => {
    const inFolder = new File([""], "x.txt");
    Object.defineProperty(inFolder, "webkitRelativePath", { value: "a/b/x.txt" });
    const alone = new File([""], "y.txt");
    expect(readChosen([inFolder, alone]).map(({ path }) => path)).toEqual(["a/b/x.txt", "y.txt"]);
  });
});
