import { describe, expect, it } from "vitest";
import type { Schedule } from "../../api/types";
import {
  scheduleRules,
  startValues,
  toSchedulePatch,
  toScheduleRequest,
  valuesOf,
} from "./schedule-values";

const schedule = {
  name: "nightly",
  kind: "sync",
  title: "Nightly",
  input: { rule: "a" },
  cron: "0 3 * * *",
  zone: "UTC",
  missed: "run_once",
} as unknown as Schedule;

describe("a schedule's form", () => {
  it("sends what was filled in, without an empty title", () => {
    const values = { ...startValues("UTC"), name: "nightly", kind: "sync", cron: " 5 4 * * * " };
    expect(toScheduleRequest(values)).toEqual({
      name: "nightly",
      kind: "sync",
      input: {},
      cron: "5 4 * * *",
      zone: "UTC",
      missed: "run_once",
    });
  });

  it("sends only what was changed, and a zone with its expression", () => {
    const values = valuesOf(schedule);
    expect(toSchedulePatch(values, schedule)).toEqual({});
    expect(toSchedulePatch({ ...values, zone: "Europe/Berlin" }, schedule)).toEqual({
      cron: "0 3 * * *",
      zone: "Europe/Berlin",
    });
    expect(toSchedulePatch({ ...values, missed: "skip", input: "{}" }, schedule)).toEqual({
      missed: "skip",
      input: {},
    });
  });

  it.each([
    ["{}", null],
    ["[]", "This is no JSON object"],
    ["{", "This is no JSON object"],
    ["7", "This is no JSON object"],
  ])("judges the input %s", (input, verdict) => {
    expect(scheduleRules.input(input)).toBe(verdict);
  });

  it("takes names that the server takes", () => {
    expect(scheduleRules.name("nightly.sync-2")).toBeNull();
    expect(scheduleRules.name("-x")).not.toBeNull();
    expect(scheduleRules.name("a b")).not.toBeNull();
  });
});
