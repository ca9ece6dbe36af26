// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Bundle } from "../../api/types";

let status: number;
let list: typeof import("./bundle-list");
let bundles: typeof import("../../api/bundles");
let queries: typeof import("../../api/query-client");

beforeEach(async () => {
  vi.stubGlobal("fetch", async () => Response.json({ status, code: "said" }, { status }));
  vi.resetModules();
  list = await import("./bundle-list");
  bundles = await import("../../api/bundles");
  queries = await import("../../api/query-client");
  queries.queryClient.setQueryData(bundles.bundlePages.queryKey, {
    pages: [
      { items: [{ id: "5" } as Bundle, { id: "4" } as Bundle], next: "x" },
      { items: [{ id: "3" } as Bundle], next: null },
    ],
    pageParams: [null, "x"],
  });
});

afterEach(() => vi.unstubAllGlobals());

const shown = () =>
  queries.queryClient
    .getQueryData(bundles.bundlePages.queryKey)
    ?.pages.flatMap(({ items }) => items.map(({ id }) => id));

it("a bundle that somebody deleted meanwhile leaves the list, and that is no failure", async () => {
  status = 404;
  await list.readIntoList("5");
  expect(shown()).toEqual(["4", "3"]);
});

it("a bundle that cannot be read stays where it is", async () => {
  status = 503;
  await expect(list.readIntoList("5")).rejects.toMatchObject({ status: 503 });
  expect(shown()).toEqual(["5", "4", "3"]);
});
