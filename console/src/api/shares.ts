// Links to files and folders for people without a password of their own, and archives of
// what is stored.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { makeBundle } from "./bundles";
import { api, take } from "./client";
import type { Bundle, NewShare, Share, ShareMade, StoredSource } from "./types";

const SHARES = "/api/v1/buckets/{bucket}/shares";

export function shareFile(bucket: string, body: NewShare): Promise<ShareMade> {
  return take(api.POST(SHARES, { params: { path: { bucket } }, body }));
}

interface SharePage {
  items: Share[];
  next: string | null;
}

interface SharesQuery {
  prefix?: string;
  delimiter?: string;
  cursor?: string;
}

function readShares(bucket: string, signal: AbortSignal, query: SharesQuery): Promise<SharePage> {
  const params = { path: { bucket }, query: { ...query, limit: 200 } };
  return take(api.GET(SHARES, { params, signal }));
}

export const sharePages = (bucket: string) =>
  infiniteQueryOptions({
    queryKey: ["shares", bucket],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }): Promise<SharePage> =>
      readShares(bucket, signal, pageParam ? { cursor: pageParam } : {}),
    getNextPageParam: (page) => page.next,
  });

/** So many pages of what is shared in a folder are read. */
const MOST_PAGES = 5;

/** Shares of what lies right in a folder, or with `deep` of all below it. */
export const sharesIn = (bucket: string, folder: string, deep: boolean) =>
  queryOptions({
    // Below the key of all shares: what is made or taken back concerns both.
    queryKey: [...sharePages(bucket).queryKey, folder, deep],
    queryFn: async ({ signal }) => {
      const shares: Share[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const read: SharePage = await readShares(bucket, signal, {
          prefix: folder,
          ...(deep ? {} : { delimiter: "/" }),
          ...(cursor ? { cursor } : {}),
        });
        shares.push(...read.items);
        cursor = read.next;
        if (cursor === null) break;
      }
      return shares;
    },
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
