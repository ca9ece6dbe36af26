import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Piece, parseAnsi, withoutAnsi } from "./ansi";

interface PlainCase {
  /** So many letters stand before both. */
  after?: number;
  written: string;
  left: string;
}

const readCases = (): PlainCase[] =>
  JSON.parse(readFileSync("../crates/operations/src/log/plain-cases.json", "utf8"));

const E = "\u001b";
const shown = (pieces: Piece[]) =>
  pieces.map(({ text, classes, color, background }) =>
    [text, classes, color, background].filter(Boolean).join("|"),
  );

const CASES: Array<[what: string, input: string, pieces: string[]]> = [
  ["plain text is one piece", "hello", ["hello"]],
  ["an empty line has none", "", []],
  ["markup is only text", "<b>&amp;</b>", ["<b>&amp;</b>"]],
  ["a colour ends at its reset", `a${E}[31mred${E}[0mb`, ["a", "red|fg-red", "b"]],
  ["an empty code resets", `${E}[32mg${E}[mx`, ["g|fg-green", "x"]],
  ["several codes at once", `${E}[1;4;93mx`, ["x|bold underline fg-bright-yellow"]],
  ["22 ends bold and dim", `${E}[1;2mx${E}[22my`, ["x|bold dim", "y"]],
  ["a background", `${E}[44mx${E}[49my`, ["x|bg-blue", "y"]],
  ["inverse and strike", `${E}[7;9mx${E}[27;29my`, ["x|inverse strike", "y"]],
  ["a palette colour below 16 has a class", `${E}[38;5;9mx`, ["x|fg-bright-red"]],
  ["a palette colour of the cube", `${E}[38;5;208mx`, ["x|rgb(255, 135, 0)"]],
  ["a palette grey", `${E}[48;5;232mx`, ["x|rgb(8, 8, 8)"]],
  ["a 24-bit colour, then bold", `${E}[38;2;1;2;300;1mx`, ["x|bold|rgb(1, 2, 255)"]],
  ["an unknown code changes nothing", `${E}[77mx`, ["x"]],
  ["a carriage return redraws", "10%\r20%\r100%", ["100%"]],
  ["what the redraw does not reach stays", "abcdef\rXY", ["XYcdef"]],
  ["a trailing carriage return erases nothing", "done\r", ["done"]],
  ["erase to the end", `abcdef\rXY${E}[K`, ["XY"]],
  ["erase the line", `abc${E}[2K\rz`, ["z"]],
  ["a backspace steps back", "ab\bc", ["ac"]],
  ["a column jump", `abc${E}[1Gz`, ["zbc"]],
  ["a column beyond the end pads", `a${E}[4Gz`, ["a  z"]],
  ["redrawn colours keep to their cells", `abc\r${E}[31mX`, ["X|fg-red", "bc"]],
  ["a hyperlink shows its text", `${E}]8;;https://x.test${E}\\link${E}]8;;${E}\\!`, ["link!"]],
  ["a title is not shown", `${E}]0;title\u0007text`, ["text"]],
  ["cursor movements are not shown", `${E}[2A${E}[?25lx`, ["x"]],
  ["a character set choice is not shown", `${E}(Bx`, ["x"]],
  ["a cut-off sequence is not shown", `x${E}[3`, ["x"]],
  ["a lone escape is not shown", `x${E}`, ["x"]],
  ["the 8-bit introducer works", "\u009b31mx", ["x|fg-red"]],
  ["characters outside the first plane stay whole", `🚢${E}[1m⚓`, ["🚢", "⚓|bold"]],
  ["tabs stay", "a\tb\u0001c", ["a\tbc"]],
];

describe("parseAnsi", () => {
  it.each(CASES)("%s", (_what, input, pieces) => {
    expect(shown(parseAnsi(input))).toEqual(pieces);
  });

  it("survives any bytes and never loses to a redraw bomb", () => {
    const bomb = `${"x\r".repeat(90_000)}${E}[999999999C!${E}[888888888G!`;
    expect(
      parseAnsi(bomb)
        .map((piece) => piece.text)
        .join("").length,
    ).toBeLessThan(2_000);
  });
});

describe("withoutAnsi", () => {
  // The cases of the server, which leaves the same of a line in a plain download.
  it.each(readCases())("leaves what a terminal would show: %j", ({ after = 0, written, left }) => {
    const before = "x".repeat(after);
    expect(withoutAnsi(before + written)).toBe(before + left);
  });

  it("keeps only the words", () => {
    expect(withoutAnsi(`${E}[31mred${E}[0m and\rRED`)).toBe("RED and");
  });
});
