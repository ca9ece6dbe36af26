import { describe, expect, it } from "vitest";
import { markWords } from "./mark-words";

const shown = (text: string, words: string) =>
  markWords(text, words)
    ?.map((part) => (part.marked ? `[${part.text}]` : part.text))
    .join("");

describe("markWords", () => {
  it.each([
    ["GET /a GET", "get", "[GET] /a [GET]"],
    ["aaaa", "aa", "[aa][aa]"],
    ["<b>x</b>", "<b>", "[<b>]x</b>"],
    ["nothing here", "zip", undefined],
    ["text", "", undefined],
    ["İstanbul", "stan", undefined],
  ])("in %j for %j", (text, words, marked) => {
    expect(shown(text, words)).toBe(marked);
  });
});
