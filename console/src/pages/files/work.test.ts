import { describe, expect, it } from "vitest";
import { ProblemError } from "../../api/problem";
import { work } from "./work";

async function* batches(...lists: string[][]) {
  for (const list of lists) yield list;
}
const task = (act: (item: string, signal: AbortSignal) => Promise<string>) => ({
  title: "Testing",
  items: () => batches(["a", "b", "c"], ["d"]),
  path: (item: string) => item,
  act,
});

describe("work over many", () => {
  it("does all of it, whatever fails", async () => {
    const outcome = await work(
      task(async (item) => {
        if (item === "b") throw new ProblemError({ status: 403, code: "forbidden" });
        return item.toUpperCase();
      }),
    );
    expect(outcome.done.map(({ result }) => result).sort()).toEqual(["A", "C", "D"]);
    expect(outcome.failures).toMatchObject([{ path: "b", error: { status: 403 } }]);
  });

  it("is one thing at a time", async () => {
    let end = () => {};
    const held = new Promise<void>((resume) => {
      end = resume;
    });
    const first = work(
      task(async (item) => {
        await held;
        return item;
      }),
    );
    await expect(work(task(async (item) => item))).rejects.toThrow(/Something else/);
    end();
    expect((await first).done).toHaveLength(4);
  });
});
