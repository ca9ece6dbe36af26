// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";

const asked: Request[] = [];
let answers: Response[];
let client: typeof import("./client");

const problem = (status: number, code: string) =>
  new Response(JSON.stringify({ status, code, title: code }), {
    status,
    headers: { "content-type": "application/problem+json" },
  });
const cancel = () =>
  client.api.POST("/api/v1/operations/{id}/cancel", { params: { path: { id: "a" } } });
const tokens = () => asked.map((request) => request.headers.get("x-csrf-token"));

beforeEach(async () => {
  asked.length = 0;
  answers = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push(request);
    return answers.shift() ?? problem(500, "internal");
  });
  vi.resetModules();
  client = await import("./client");
  client.setCsrf("old");
});

describe("a change whose token is refused", () => {
  it("is sent once more with the token of whoever is logged in now", async () => {
    client.onCsrfRefused(async () => client.setCsrf("new"));
    answers = [problem(403, "csrf"), Response.json({ id: "a" })];
    expect((await cancel()).data).toEqual({ id: "a" });
    expect(tokens()).toEqual(["old", "new"]);
  });

  it("is not sent again when there is no other token", async () => {
    answers = [problem(403, "csrf")];
    await expect(cancel()).rejects.toMatchObject({ status: 403, code: "csrf" });
    expect(asked).toHaveLength(1);
  });

  it("is sent once more only, and says what came of that", async () => {
    client.onCsrfRefused(async () => client.setCsrf("new"));
    answers = [problem(403, "csrf"), problem(403, "csrf")];
    await expect(cancel()).rejects.toMatchObject({ status: 403 });
    expect(asked).toHaveLength(2);
  });

  it("is not confused with a role that is too low", async () => {
    client.onCsrfRefused(async () => client.setCsrf("new"));
    answers = [problem(403, "forbidden")];
    await expect(cancel()).rejects.toMatchObject({ code: "forbidden" });
    expect(asked).toHaveLength(1);
  });
});
