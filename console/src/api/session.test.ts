// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from "vitest";

afterEach(() => vi.unstubAllGlobals());

it("leaves nothing that was read to who logs in after a session that ended", async () => {
  const headers = { "content-type": "application/problem+json" };
  const refused = () => new Response('{"code":"unauthenticated"}', { status: 401, headers });
  vi.stubGlobal("fetch", async () => refused());
  vi.resetModules();
  const { sessionQuery } = await import("./session");
  const { queryClient } = await import("./query-client");
  queryClient.setQueryData(sessionQuery.queryKey, { user: { id: "a" }, csrf: "c" } as never);
  queryClient.setQueryData(["secrets"], ["A_SECRET"]);
  await queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 });
  expect(queryClient.getQueryData(sessionQuery.queryKey)).toBe(null);
  expect(queryClient.getQueryData(["secrets"])).toBeUndefined();
});
