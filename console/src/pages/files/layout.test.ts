import { expect, it } from "vitest";
import { columnsIn, fitsTile } from "./layout";
import { stepOf } from "./use-file-keys";

it.each([
  [0, 2],
  [360, 2],
  [444, 3],
  [1200, 8],
])("a line of %i pixels has %i tiles", (width, columns) => {
  expect(columnsIn(width)).toBe(columns);
});

it("a picture is loaded unless it is empty or large", () => {
  expect([0, 1, 8 * 1024 * 1024, 8 * 1024 * 1024 + 1].map(fitsTile)).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

it("keys move by rows in a list, and by lines and tiles where several stand beside each other", () => {
  const moves = (columns: number) =>
    ["ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft", "PageDown", "x"].map((key) =>
      stepOf(key, columns),
    );
  expect(moves(1)).toEqual([1, -1, undefined, undefined, 15, undefined]);
  expect(moves(4)).toEqual([4, -4, 1, -1, 12, undefined]);
});
