import { expect, it } from "vitest";
import { compares, freeName } from "./store-schedules";

it("a schedule compares the bucket that its input names", () => {
  const input = { bucket: "films" } as unknown as Record<string, never>;
  expect(compares({ kind: "reconcile", input }, "films")).toBe(true);
  expect(compares({ kind: "reconcile", input }, "film")).toBe(false);
  expect(compares({ kind: "bundle", input }, "films")).toBe(false);
});

it("a schedule gets a name that none has, within what a name may be long", () => {
  expect(freeName("films", [])).toBe("compare-films");
  expect(freeName("films", [{ name: "compare-films" }])).toBe("compare-films-2");
  const long = "b".repeat(63);
  const first = freeName(long, []);
  expect(first).toHaveLength(64);
  expect(freeName(long, [{ name: first }])).toHaveLength(64);
  expect(freeName(long, [{ name: first }])).not.toBe(first);
});
