import { describe, expect, it } from "vitest";
import { fromPairs, toPairs } from "./metadata";

describe("metadata as pairs", () => {
  it("comes back as it was, whatever its values are", () => {
    const metadata = {
      text: "a sentence",
      number: 5,
      digits: "5",
      flag: true,
      word: "true",
      quoted: '"x"',
      list: [1, { a: null }],
      empty: "",
    };
    expect(fromPairs(toPairs(metadata))).toEqual(metadata);
  });

  it("leaves out what is empty, and says what is wrong", () => {
    expect(fromPairs([{ id: 0, name: "", text: "" }])).toEqual({});
    expect(fromPairs([{ id: 0, name: "", text: "x" }])).toMatch(/no name/);
    const twice = [0, 1].map((id) => ({ id, name: "a", text: "x" }));
    expect(fromPairs(twice)).toMatch(/twice/);
    expect(fromPairs([{ id: 0, name: "a", text: "x".repeat(9000) }])).toMatch(/8192/);
  });

  it("takes any name for a name", () => {
    expect(Object.keys(fromPairs([{ id: 0, name: "__proto__", text: "x" }]))).toEqual([
      "__proto__",
    ]);
  });
});
