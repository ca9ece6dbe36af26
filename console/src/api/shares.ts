// Links to files and folders for people without a password of their own, and archives of
// what is stored. The server's description has them once the sharing of files is merged;
// until then nothing of this is offered (`SHARING`), and the types stand here.
import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import type { Bundle } from "./types";

declare const __SHARING__: boolean;

/** Whether the server that this console is built with shares files. */
export const SHARING = __SHARING__;

export interface Share {
  id: string;
  path: string;
  has_password: boolean;
  downloads: number;
  max_downloads?: number | null;
  created_at: string;
  created_by: string;
  expires_at?: string | null;
}

export interface NewShare {
  path: string;
  expires_in?: number;
  password?: string;
  max_downloads?: number;
}

export type MadeShare = Share & { url: string };

type Call<Body, Answer> = (
  path: string,
  init: { params: object; body?: Body; signal?: AbortSignal },
) => Promise<{ data?: Answer }>;

const SHARES = "/api/v1/buckets/{bucket}/shares";

export function shareFile(bucket: string, body: NewShare): Promise<MadeShare> {
  const post = api.POST as unknown as Call<NewShare, MadeShare>;
  return take(post(SHARES, { params: { path: { bucket } }, body }));
}

export const sharePages = (bucket: string) =>
  infiniteQueryOptions({
    queryKey: ["shares", bucket],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => {
      const get = api.GET as unknown as Call<never, { items: Share[]; next: string | null }>;
      const query = { limit: 200, ...(pageParam ? { cursor: pageParam } : {}) };
      return take(get(SHARES, { params: { path: { bucket }, query }, signal }));
    },
    getNextPageParam: (page) => page.next,
  });

export async function revokeShare(id: string): Promise<void> {
  const remove = api.DELETE as unknown as Call<never, never>;
  await remove("/api/v1/shares/{id}", { params: { path: { id } } });
}

export type StoredSource =
  | { bucket: string; path: string; as: string }
  | { bucket: string; prefix: string; as: string };

interface StoredBundle {
  name: string;
  sources: StoredSource[];
  options: { keep: false; compress: "never" };
}

/** An archive that is given once, as it is made: nothing of it is stored. */
export function zipStored(name: string, sources: StoredSource[]): Promise<Bundle> {
  const post = api.POST as unknown as Call<StoredBundle, Bundle>;
  const options = { keep: false, compress: "never" } as const;
  return take(post("/api/v1/bundles", { params: {}, body: { name, sources, options } }));
}
