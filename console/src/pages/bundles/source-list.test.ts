import { describe, expect, it } from "vitest";
import { fileNameOf, MOST_SOURCES, readSourceList } from "./source-list";

describe("readSourceList", () => {
  it("takes one address per line, whatever ends the line", () => {
    const list = readSourceList(
      "http://a.test/1\r\nhttps://a.test/2\n\n  https://a.test/3  \rhttp://a.test/4",
    );
    expect(list.urls).toEqual([
      "http://a.test/1",
      "https://a.test/2",
      "https://a.test/3",
      "http://a.test/4",
    ]);
    expect(list.unreadableCount).toBe(0);
  });

  it("counts duplicates and keeps the first of them in its place", () => {
    const list = readSourceList("http://a.test/1\nhttp://a.test/2\nhttp://a.test/1");
    expect(list.urls).toEqual(["http://a.test/1", "http://a.test/2"]);
    expect(list.duplicates).toBe(1);
  });

  it("takes off what spreadsheets put around addresses", () => {
    const list = readSourceList(`"http://a.test/1",\n'http://a.test/2';\n<http://a.test/3>`);
    expect(list.urls).toEqual(["http://a.test/1", "http://a.test/2", "http://a.test/3"]);
  });

  it("skips remarks", () => {
    expect(readSourceList("# covers\nhttp://a.test/1").urls).toEqual(["http://a.test/1"]);
  });

  it("reads the JSON array of the WebSocket protocol", () => {
    const list = readSourceList('["http://a.test/1", "http://a.test/2", 7]');
    expect(list.urls).toHaveLength(2);
    expect(list.unreadable).toEqual([
      { line: 3, text: "7", reason: "has no http:// or https:// in front" },
    ]);
  });

  it.each([
    ["a.test/1", "has no http:// or https:// in front"],
    ["ftp://a.test/1", "ftp addresses cannot be fetched"],
    ["file:///etc/passwd", "file addresses cannot be fetched"],
    ["javascript:alert(1)", "javascript addresses cannot be fetched"],
    ["http://", "is not a complete address"],
    ["http://a b/1", "has a space in it"],
  ])("says why %s cannot be read, with its line", (text, reason) => {
    const list = readSourceList(`http://a.test/1\n${text}`);
    expect(list.unreadable).toEqual([{ line: 2, text, reason }]);
    expect(list.urls).toHaveLength(1);
  });

  it("shows the first unreadable lines and counts them all", () => {
    const list = readSourceList("x\n".repeat(500));
    expect(list.unreadable).toHaveLength(20);
    expect(list.unreadableCount).toBe(500);
  });

  it("takes a hundred thousand and counts the rest", () => {
    const text = Array.from({ length: MOST_SOURCES + 3 }, (_, i) => `http://a.test/${i}`).join(
      "\n",
    );
    const list = readSourceList(text);
    expect(list.urls).toHaveLength(MOST_SOURCES);
    expect(list.tooMany).toBe(3);
    expect(list.large).toBe(0);
  });

  it("knows how much a list has to send that a server may refuse", () => {
    const text = "http://a.test/1\nhttp://a.test/éé";
    // In UTF-8, with all but one of the two brackets.
    const sent = new TextEncoder().encode(JSON.stringify(text.split("\n"))).length - 1;
    expect(readSourceList(text, sent).large).toBe(0);
    expect(readSourceList(text, sent - 1).large).toBe(sent);
  });
});

describe("fileNameOf", () => {
  it.each([
    ["http://a.test/x/photo%20one.jpg?size=3", "photo one.jpg"],
    ["http://a.test/%E0%A4%A", "%E0%A4%A"],
    ["http://a.test/", "http://a.test/"],
  ])("of %s is %s", (url, name) => {
    expect(fileNameOf(url)).toBe(name);
  });
});
