import { describe, expect, it } from "vitest";
import type { OperationPages } from "../../api/operations";
import type { Operation } from "../../api/types";
import { afterChange, EMPTY_IN_A_ROW, emptyTail, mustAsk, notListed, standsInRead } from "./paging";

const at = (minute: number) =>
  ({
    id: String(minute),
    created_at: `2026-11-21T10:${String(minute).padStart(2, "0")}:00Z`,
  }) as Operation;
const read = (pages: number[][], next: string | null = "more"): OperationPages => ({
  pages: pages.map((minutes) => ({ items: minutes.map(at), next })),
  pageParams: [],
});
const empty = (count: number) => Array.from({ length: count }, () => []);

describe("reading on", () => {
  it("counts the empty pages at the end", () => {
    expect(emptyTail(undefined)).toBe(0);
    expect(emptyTail(read([[9], [], [8], [], []]))).toBe(2);
  });

  it("stops after many empty pages, and goes on for as many when asked", () => {
    expect(mustAsk(read(empty(EMPTY_IN_A_ROW - 1)), 0)).toBe(false);
    expect(mustAsk(read(empty(EMPTY_IN_A_ROW)), 0)).toBe(true);
    expect(mustAsk(read(empty(EMPTY_IN_A_ROW)), 1)).toBe(false);
    expect(mustAsk(read([...empty(EMPTY_IN_A_ROW), [7]]), 0)).toBe(false);
  });
});

describe("a change of what is not listed", () => {
  it("is new above the last row that was read, also when the operation is old", () => {
    expect(standsInRead(at(20), {}, read([[30, 10]]))).toBe(true);
    expect(standsInRead(at(5), {}, read([[30, 10]]))).toBe(false);
    expect(standsInRead(at(5), {}, read([[30, 10]], null))).toBe(true);
  });

  it("is new below it in a list that starts with the oldest", () => {
    expect(standsInRead(at(5), { order: "asc" }, read([[1, 10]]))).toBe(true);
    expect(standsInRead(at(20), { order: "asc" }, read([[1, 10]]))).toBe(false);
  });
});

describe("what waits to be shown", () => {
  it("is what came into the list, once each, until it has left it again", () => {
    const one = afterChange(new Set(), "a", true);
    expect(afterChange(one, "a", true)).toBe(one);
    const two = afterChange(one, "b", true);
    expect([...two]).toEqual(["a", "b"]);
    expect([...afterChange(two, "a", false)]).toEqual(["b"]);
    expect(afterChange(two, "c", false)).toBe(two);
    expect([...two]).toEqual(["a", "b"]);
  });

  it("is not what a list that was read again holds by now", () => {
    expect(notListed(new Set(["5", "7"]), [at(5), at(6)])).toBe(1);
    expect(notListed(new Set(["5"]), [at(5)])).toBe(0);
    expect(notListed(new Set(), [at(5)])).toBe(0);
  });
});
