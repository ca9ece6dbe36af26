import { beforeEach, describe, expect, it } from "vitest";
import { bundlePages } from "../../api/bundles";
import { queryClient } from "../../api/query-client";
import type { Bundle, Operation, OperationState } from "../../api/types";
import {
  compareList,
  listHolds,
  putIntoList,
  putOperationIntoList,
  waitingAfter,
} from "./bundle-list";

const operation = (id: string, changed: number, state: OperationState) =>
  ({ id, changed, state }) as Operation;
const bundle = (id: string, changed: number, state: OperationState, size: number | null = null) =>
  ({ id, state, size, operation: operation(id, changed, state) }) as Partial<Bundle> as Bundle;
const shown = () => queryClient.getQueryData(bundlePages.queryKey)?.pages.flatMap((p) => p.items);

beforeEach(() => {
  queryClient.clear();
  queryClient.setQueryData(bundlePages.queryKey, {
    pages: [
      { items: [bundle("5", 9, "running"), bundle("4", 8, "succeeded", 7)], next: "x" },
      { items: [bundle("3", 7, "running")], next: null },
    ],
    pageParams: [null, "x"],
  });
});

describe("a bundle that is listed", () => {
  it("changes in place and brings no other with it", () => {
    putOperationIntoList(operation("5", 10, "queued"));
    putIntoList(bundle("3", 11, "succeeded", 12));
    putIntoList(bundle("6", 12, "running"));
    expect(shown()).toMatchObject([
      { id: "5", state: "queued" },
      { id: "4", state: "succeeded", size: 7 },
      { id: "3", state: "succeeded", size: 12 },
    ]);
    expect(listHolds("3")).toBe(true);
    expect(listHolds("6")).toBe(false);
  });

  it("keeps what is newer than what was read, and its size when its operation is told again", () => {
    putIntoList(bundle("5", 8, "queued"));
    putIntoList(bundle("3", 11, "succeeded", 12));
    putOperationIntoList(operation("3", 11, "succeeded"));
    expect(shown()).toMatchObject([{ state: "running" }, { id: "4" }, { size: 12 }]);
  });
});

describe("a bundle that is not listed", () => {
  const told = (id: string, state: OperationState, kind = "bundle") =>
    ({ ...operation(id, 1, state), kind }) as Operation;
  const none: ReadonlySet<string> = new Set();

  it("waits to be shown from its beginning on, once, and other operations do not", () => {
    const waiting = waitingAfter(none, told("6", "queued"));
    expect([...waiting]).toEqual(["6"]);
    expect(waitingAfter(waiting, told("6", "succeeded"))).toBe(waiting);
    expect(waitingAfter(waiting, told("7", "running", "sync-pass"))).toBe(waiting);
  });

  it("does not wait any more when it was cancelled, as before it is deleted", () => {
    const waiting = waitingAfter(new Set(["6", "7"]), told("6", "cancelled"));
    expect([...waiting]).toEqual(["7"]);
    expect(waitingAfter(none, told("6", "cancelled"))).toBe(none);
  });
});

describe("the newest bundles, read anew", () => {
  const listed = () => shown() ?? [];

  it("tell what began meanwhile, and what must be read by itself", () => {
    const items = [bundle("7", 13, "running"), bundle("5", 9, "running"), bundle("4", 8, "failed")];
    expect(compareList(listed(), { items, next: "y" })).toEqual({
      fresh: ["7"],
      unread: ["3"],
      replaced: false,
    });
  });

  it("tell that the list is another one now, when one of it is gone", () => {
    const gone = [bundle("5", 9, "running"), bundle("3", 7, "running")];
    expect(compareList(listed(), { items: gone, next: null }).replaced).toBe(true);
    expect(compareList(listed(), { items: [], next: null }).replaced).toBe(true);
    expect(compareList([], { items: gone, next: null })).toEqual({
      fresh: ["5", "3"],
      unread: [],
      replaced: false,
    });
  });
});
