import { describe, expect, it } from "vitest";
import { readAuditFilters, toAuditQuery } from "./audit-filters";

const NOW = Date.parse("2026-11-21T12:00:00Z");

describe("the filters of the record", () => {
  it("leave out what an address says wrongly", () => {
    expect(
      readAuditFilters({ actor: " anna ", action: 7, subject: "", range: "9y", other: "x" }),
    ).toEqual({ actor: "anna" });
  });

  it("ask for a time counted from now", () => {
    expect(toAuditQuery({ range: "1h", action: "login.ok" }, NOW)).toEqual({
      action: "login.ok",
      from: "2026-11-21T11:00:00.000Z",
    });
  });

  it.each([
    ["anna", "user:anna"],
    ["token:anna/ci", "token:anna/ci"],
    ["host", "host"],
  ])("ask for the actor %s as %s", (typed, actor) => {
    expect(toAuditQuery({ actor: typed }, NOW)).toEqual({ actor });
  });
});
