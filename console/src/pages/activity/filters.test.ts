import { describe, expect, it } from "vitest";
import type { Operation } from "../../api/types";
import {
  activeFilters,
  belongs,
  firstOrder,
  readFilters,
  sortedBy,
  toApiCall,
  toQuery,
} from "./filters";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const operation = (more: Partial<Operation>) =>
  ({
    kind: "bundle",
    state: "running",
    title: "Covers of May",
    subject: null,
    server: null,
    actor: "user:ada",
    trigger: "api",
    parent: null,
    error: null,
    created_at: "2026-11-21T11:30:00Z",
    ...more,
  }) as Operation;

describe("readFilters", () => {
  it("keeps what it understands and leaves out the rest", () => {
    expect(
      readFilters({
        kind: "bundle",
        state: "paused",
        text: "  ",
        range: "toString",
        sort: "actor",
        order: "sideways",
        from: "yesterday",
        actor: 7,
        trigger: "magic",
        colour: "red",
      }),
    ).toEqual({ kind: "bundle", sort: "actor", actor: "7" });
  });

  it("gives back whatever it wrote", () => {
    const filters = readFilters({
      kind: "bundle",
      state: "failed",
      text: "covers & more",
      range: "7d",
      sort: "state",
      order: "asc",
    });
    const address = new URLSearchParams(filters as Record<string, string>);
    expect(readFilters(Object.fromEntries(address))).toEqual(filters);
  });

  it("does not write what is so anyway", () => {
    expect(readFilters({ sort: "created_at", order: "desc" })).toEqual({});
  });
});

describe("toQuery", () => {
  it("turns a range into a time", () => {
    expect(toQuery({ range: "1h" }, NOW)).toEqual({
      from: "2026-11-21T11:00:00.000Z",
      sort: "created_at",
      order: "desc",
    });
  });

  it("is the call that can be copied", () => {
    expect(toApiCall({ state: "failed" }, "https://ls.test", NOW)).toBe(
      "curl -u NAME 'https://ls.test/api/v1/operations?state=failed&sort=created_at&order=desc'",
    );
  });
});

describe("belongs", () => {
  it.each([
    [{}, {}, true],
    [{ state: "running" }, {}, true],
    [{ state: "failed" }, {}, false],
    [{ kind: "sync" }, {}, false],
    [{ actor: "bob" }, {}, false],
    [{ actor: "ada" }, {}, true],
    [{ actor: "schedule:nightly" }, { actor: "schedule:nightly" }, true],
    [{ text: "COVERS" }, {}, true],
    [{ text: "songs" }, {}, false],
    [{ text: "denied" }, { error: { code: "x", message: "Access denied" } }, true],
    [{ range: "1h" }, {}, true],
    [{ range: "1h" }, { created_at: "2026-11-21T10:59:00Z" }, false],
    [{ to: "2026-11-21T11:00:00Z" }, {}, false],
  ] as const)("%j of %j is %s", (filters, more, answer) => {
    expect(belongs(operation(more as Partial<Operation>), filters, NOW)).toBe(answer);
  });
});

describe("sortedBy", () => {
  it("changes the order alone, and writes nothing that is so anyway", () => {
    const filters = { text: "may", sort: "kind", order: "asc" } as const;
    expect(sortedBy(filters, "state", "desc")).toEqual({ text: "may", sort: "state" });
    expect(sortedBy(filters, "created_at", "asc")).toEqual({ text: "may", order: "asc" });
    expect(sortedBy(filters, "created_at", "desc")).toEqual({ text: "may" });
    for (const order of ["asc", "desc"] as const) {
      const query = toQuery(sortedBy(filters, "actor", order), NOW);
      expect(query).toMatchObject({ sort: "actor", order });
    }
  });

  it("begins with the newest, and with words from A on", () => {
    expect(firstOrder("created_at")).toBe("desc");
    expect(firstOrder("subject")).toBe("asc");
  });
});

describe("activeFilters", () => {
  it("does not count sorting", () => {
    expect(activeFilters({ sort: "kind", order: "asc", state: "failed", text: "x" })).toBe(2);
  });
});
