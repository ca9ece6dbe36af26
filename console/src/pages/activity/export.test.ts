import { describe, expect, it } from "vitest";
import type { Operation } from "../../api/types";
import { toCsv } from "./export";

const operation = (more: Partial<Operation>) =>
  ({ id: "1", kind: "bundle", title: "t", state: "failed", attempt: 1, ...more }) as Operation;
const second = (csv: string) => csv.split("\r\n")[1];

describe("toCsv", () => {
  it("has a head and a line for each", () => {
    const csv = toCsv([operation({}), operation({ id: "2" })]);
    expect(csv.split("\r\n")[0]).toBe(
      "id,kind,title,state,subject,server,actor,trigger,attempt,created_at,started_at,ended_at,error",
    );
    expect(csv.endsWith("\r\n")).toBe(true);
    expect(csv.split("\r\n")).toHaveLength(4);
  });

  it("quotes what would break a line", () => {
    expect(second(toCsv([operation({ title: 'a "b", c' })]))).toContain('"a ""b"", c"');
  });

  it("never hands a formula to a sheet", () => {
    expect(second(toCsv([operation({ title: "=1+1" })]))).toContain(",'=1+1,");
  });
});
