import { beforeEach, describe, expect, it } from "vitest";
import { changeInPages, type Pages } from "./pages";
import { queryClient } from "./query-client";

interface Item {
  id: string;
  word: string;
}

const KEY = ["a list"];

beforeEach(() => {
  queryClient.clear();
  queryClient.setQueryData<Pages<Item>>(KEY, {
    pages: [{ items: [{ id: "a", word: "one" }] }, { items: [{ id: "b", word: "two" }] }],
    pageParams: [null, "x"],
  });
});

describe("changeInPages", () => {
  it("changes the one item, and leaves the other pages the same", () => {
    const before = queryClient.getQueryData<Pages<Item>>(KEY);
    expect(changeInPages<Item>(KEY, "b", (item) => ({ ...item, word: "three" }))).toBe(true);
    const after = queryClient.getQueryData<Pages<Item>>(KEY);
    expect(after?.pages[1]?.items).toEqual([{ id: "b", word: "three" }]);
    expect(after?.pages[0]).toBe(before?.pages[0]);
  });

  it("says when the list does not hold it, or there is no list", () => {
    expect(changeInPages<Item>(KEY, "c", (item) => item)).toBe(false);
    expect(changeInPages<Item>(["another"], "a", (item) => item)).toBe(false);
  });
});
