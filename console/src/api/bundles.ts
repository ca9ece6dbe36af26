// Reading and making bundles. A bundle's id is its operation's id.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { queryClient } from "./query-client";
import type { Bundle, BundleRequest, Operation } from "./types";

export const bundleQuery = (id: string) =>
  queryOptions({
    queryKey: ["bundle", id],
    queryFn: ({ signal }) => readBundle(id, signal),
  });

/** As it stands now, whatever was read before. */
export const readBundle = (id: string, signal?: AbortSignal) =>
  take(api.GET("/api/v1/bundles/{id}", { params: { path: { id } }, signal }));

export const bundlePages = infiniteQueryOptions({
  queryKey: ["bundles"],
  initialPageParam: null as string | null,
  queryFn: ({ pageParam, signal }) => readBundles(pageParam, signal),
  getNextPageParam: (page) => page.next,
});

/** A page of the list from `cursor` on; without one, the newest. */
export const readBundles = (cursor: string | null, signal?: AbortSignal) =>
  take(
    api.GET("/api/v1/bundles", {
      params: { query: { limit: 25, ...(cursor ? { cursor } : {}) } },
      signal,
    }),
  );

/** What a bundle was asked to hold: `limit` sources from number `from` on. */
export const readSources = (id: string, from: number, limit: number) =>
  take(
    api.GET("/api/v1/bundles/{id}/sources", {
      params: { path: { id }, query: { from, limit } },
    }),
  );

export async function makeBundle(body: BundleRequest): Promise<Bundle> {
  const made = await take(api.POST("/api/v1/bundles", { body }));
  // The other answer, the bytes themselves, is only given when they are asked for.
  return known(made as Bundle);
}

export async function retrySources(id: string, sources: number[] | null): Promise<Bundle> {
  const path = { id };
  return known(
    await take(api.POST("/api/v1/bundles/{id}/retry", { params: { path }, body: { sources } })),
  );
}

export const linkBundle = (id: string) =>
  take(api.POST("/api/v1/bundles/{id}/link", { params: { path: { id } }, body: {} }));

/** Gives the bytes that came free. */
export async function deleteBundle(id: string): Promise<number> {
  const path = { id };
  const { freed } = await take(api.DELETE("/api/v1/bundles/{id}", { params: { path } }));
  void queryClient.invalidateQueries({ queryKey: bundlePages.queryKey });
  return freed;
}

/** Puts a change of its operation into a bundle that is shown. */
export function mergeIntoBundle(operation: Operation): void {
  queryClient.setQueryData<Bundle>(bundleQuery(operation.id).queryKey, (bundle) =>
    bundle && (bundle.operation?.changed ?? 0) <= operation.changed
      ? { ...bundle, state: operation.state, operation }
      : bundle,
  );
}

// The page of a bundle just made paints from this answer, without asking again.
function known(bundle: Bundle): Bundle {
  queryClient.setQueryData(bundleQuery(bundle.id).queryKey, bundle);
  void queryClient.invalidateQueries({ queryKey: bundlePages.queryKey });
  return bundle;
}
