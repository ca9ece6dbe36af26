import { describe, expect, it } from "vitest";
import type { StoredFile } from "../../api/types";
import { moveTarget, targetProblem } from "./move";
import type { Row } from "./rows";

const file = (path: string): Row => ({
  kind: "file",
  key: `f:${path}`,
  path,
  file: { path } as StoredFile,
});
const folder = (path: string): Row => ({ kind: "folder", key: `d:${path}`, path });

describe("moving", () => {
  it("takes one file to the typed path", () => {
    expect(moveTarget([file("a/b.txt")], "c/d.txt")("a/b.txt")).toBe("c/d.txt");
  });

  it("makes one folder the typed one, with all below", () => {
    const target = moveTarget([folder("a/b/")], "c");
    expect(target("a/b/x.txt")).toBe("c/x.txt");
    expect(target("a/b/d/y.txt")).toBe("c/d/y.txt");
  });

  it("takes several into a folder under their names", () => {
    const target = moveTarget([folder("a/b/"), file("a/x.txt")], "/to/");
    expect(target("a/b/d/y.txt")).toBe("to/b/d/y.txt");
    expect(target("a/x.txt")).toBe("to/x.txt");
    expect(moveTarget([file("a/x"), file("a/y")], "")("a/y")).toBe("y");
  });

  it("says what cannot be", () => {
    expect(targetProblem([file("a")], "b", true)).toBeNull();
    expect(targetProblem([file("a")], "a", true)).toMatch(/where it lies/);
    expect(targetProblem([file("a")], "a", false)).toBeNull();
    expect(targetProblem([file("a")], "b/", true)).toMatch(/needs a name/);
    expect(targetProblem([folder("a/")], "a/b", true)).toMatch(/into itself/);
    expect(targetProblem([folder("a/"), file("x")], "a", true)).toMatch(/into itself/);
    expect(targetProblem([file("a"), file("b")], "", true)).toBeNull();
  });
});
