import { describe, expect, it } from "vitest";
import type { OperationPages } from "../../api/operations";
import type { Operation } from "../../api/types";
import { EMPTY_IN_A_ROW, emptyTail, mustAsk, standsInRead } from "./paging";

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
