import { beforeEach, describe, expect, it } from "vitest";
import { ProblemError } from "../../api/problem";
import { PAGE_SOURCES, type ReadSources, SourceNames } from "./source-names";

let asked: number[];
let changes: number;
let answer: ReadSources;
let names: SourceNames;
const settle = () => new Promise((resume) => setTimeout(resume, 0));
const listOf =
  (size: number): ReadSources =>
  async (from, limit) => ({
    items: Array.from({ length: Math.min(limit, size - from) }, (_, i) => ({
      source: from + i,
      path: null,
      url: `http://a.test/${from + i}`,
    })),
    next: null,
  });

beforeEach(() => {
  asked = [];
  changes = 0;
  answer = listOf(2_500);
  names = new SourceNames(
    (from, limit) => {
      asked.push(from);
      return answer(from, limit);
    },
    () => {
      changes += 1;
    },
  );
});

describe("SourceNames", () => {
  it("asks once for the page of the rows in sight", async () => {
    for (let index = 1_200; index < 1_220; index += 1) names.want(index);
    await settle();
    names.want(1_205);
    expect(asked).toEqual([PAGE_SOURCES]);
    expect(names.at(1_205)?.url).toBe("http://a.test/1205");
    expect(names.at(3)).toBeUndefined();
    expect(changes).toBe(1);
  });

  it.each([404, 410])(
    "asks no more once the list is gone (%d), which is no failure",
    async (status) => {
      answer = () => Promise.reject(new ProblemError({ status, code: "gone" }));
      names.want(0);
      await settle();
      names.want(0);
      names.want(1_500);
      expect(asked).toEqual([0]);
      expect(names.error).toBeNull();
    },
  );

  it("keeps a failure until it is told to try again", async () => {
    answer = () => Promise.reject(new Error("no"));
    names.want(0);
    await settle();
    names.want(0);
    expect(asked).toHaveLength(1);
    expect(names.error).toEqual(new Error("no"));
    answer = listOf(5);
    names.retry();
    names.want(0);
    await settle();
    expect(names.at(4)?.url).toBe("http://a.test/4");
  });
});
