// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import type { Operation } from "./types";

let answer: ((response: Response) => void) | undefined;
let operations: typeof import("./operations");
let queries: typeof import("./query-client");

beforeEach(async () => {
  answer = undefined;
  vi.stubGlobal("fetch", () => {
    return new Promise<Response>((resolve) => {
      answer = resolve;
    });
  });
  vi.resetModules();
  operations = await import("./operations");
  queries = await import("./query-client");
});

const operation = (changed: number, state: string) => ({ id: "a", changed, state }) as Operation;
const read = () =>
  queries.queryClient.fetchQuery({ ...operations.operationQuery("a"), retry: false });

it("an answer that was overtaken by a live message does not bring the past back", async () => {
  const reading = read();
  await vi.waitFor(() => expect(answer).toBeDefined());
  operations.mergeOperation(operation(7, "succeeded"));
  operations.mergeOperation(operation(6, "running"));
  answer?.(Response.json({ ...operation(5, "running"), last_seq: 3 }));
  expect(await reading).toEqual({ ...operation(7, "succeeded"), last_seq: 3 });
});

it("an answer that is newer than what was heard stands", async () => {
  const reading = read();
  await vi.waitFor(() => expect(answer).toBeDefined());
  operations.mergeOperation(operation(5, "running"));
  answer?.(Response.json({ ...operation(7, "succeeded"), last_seq: 3 }));
  expect(await reading).toMatchObject({ state: "succeeded", changed: 7 });
});
