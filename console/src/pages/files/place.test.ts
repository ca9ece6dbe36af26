import { describe, expect, it } from "vitest";
import {
  asFolder,
  crumbs,
  folderAddress,
  folderOf,
  fromAddress,
  nameOf,
  openAddress,
  pathProblem,
  readShown,
  toAddress,
} from "./place";

describe("paths", () => {
  it.each([
    ["a.txt", "", "a.txt"],
    ["a/b/c.txt", "a/b/", "c.txt"],
    ["a/b/", "a/b/", "b"],
    ["/lead", "/", "lead"],
    ["a//b", "a//", "b"],
  ])("%j lies in %j as %j", (path, folder, name) => {
    expect(folderOf(path)).toBe(folder);
    expect(nameOf(path)).toBe(name);
  });

  it("has a crumb for each folder, also for one without a name", () => {
    expect(crumbs("")).toEqual([]);
    expect(crumbs("a//b/").map(({ folder }) => folder)).toEqual(["a/", "a//", "a//b/"]);
  });

  it.each([
    ["", ""],
    ["  a/b ", "a/b/"],
    ["/a/b//", "a/b/"],
  ])("%j is meant as the folder %j", (text, folder) => {
    expect(asFolder(text)).toBe(folder);
  });

  it("says what is wrong", () => {
    expect(pathProblem("a/b.txt")).toBeNull();
    expect(pathProblem(" ")).toMatch(/Give/);
    expect(pathProblem("a/../b")).toMatch(/no names/);
    expect(pathProblem("ä".repeat(513))).toMatch(/1024/);
  });
});

describe("addresses of folders", () => {
  it.each(["", "a/", "a/b c/", "a//b/", "/", "//", "~/", "~~/a/", "100 %/", "é/"])(
    "%j comes back",
    (folder) => {
      const address = toAddress(folder);
      expect(address).not.toMatch(/^\/|\/\/|\/$/);
      expect(fromAddress(address)).toBe(folder);
    },
  );
});

describe("addresses of pages", () => {
  it("are encoded, and hold a file in quotes", () => {
    expect(folderAddress("files", "a b/#/")).toBe("/files/files/a%20b/%23");
    expect(openAddress("files", "a/", "a/7")).toBe("/files/files/a?open=%22a%2F7%22");
  });
});

describe("readShown", () => {
  it("keeps what it understands", () => {
    expect(
      readShown({ sort: "colour", order: "desc", q: 2024, open: "a b", view: "trash", x: 1 }),
    ).toEqual({ order: "desc", q: "2024", open: "a b", view: "trash" });
    expect(readShown({ sort: "name", order: "asc", q: " ", as: "cards" })).toEqual({});
    expect(readShown({ as: "tiles" })).toEqual({ as: "tiles" });
  });
});
