// Links to files and folders for people without a password of their own, and archives of
// what is stored.
import { infiniteQueryOptions } from "@tanstack/react-query";
import { makeBundle } from "./bundles";
import { api, take } from "./client";
import type { Bundle, NewShare, ShareMade, StoredSource } from "./types";

const SHARES = "/api/v1/buckets/{bucket}/shares";

export function shareFile(bucket: string, body: NewShare): Promise<ShareMade> {
  return take(api.POST(SHARES, { params: { path: { bucket } }, body }));
}

export const sharePages = (bucket: string) =>
  infiniteQueryOptions({
    queryKey: ["shares", bucket],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: 200, ...(pageParam ? { cursor: pageParam } : {}) };
      return take(api.GET(SHARES, { params: { path: { bucket }, query }, signal }));
    },
    getNextPageParam: (page) => page.next,
  });

export async function revokeShare(id: string): Promise<void> {
  await api.DELETE("/api/v1/shares/{id}", { params: { path: { id } } });
}

/** An archive that is given once, as it is made: nothing of it is stored. */
export function zipStored(name: string, sources: StoredSource[]): Promise<Bundle> {
  return makeBundle({
    name,
    sources,
    options: {
      keep: false,
      compress: "never",
      order: "arrival",
      strict: false,
      exact_length: false,
      expires_in: null,
    },
  });
}
