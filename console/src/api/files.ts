// Buckets and the files in them.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import type { Bucket, BucketChange, FileChange, FolderPage, StoredFile } from "./types";

/** The most that a page of the API holds. */
const PAGE = 200;

export const bucketList = queryOptions({
  queryKey: ["buckets"],
  queryFn: ({ signal }) => take(api.GET("/api/v1/buckets", { signal })),
});

export const bucketQuery = (bucket: string) =>
  queryOptions({
    queryKey: ["bucket", bucket],
    queryFn: ({ signal }) =>
      take(api.GET("/api/v1/buckets/{bucket}", { params: { path: { bucket } }, signal })),
  });

export interface Listing {
  folder: string;
  sort: "name" | "size" | "date";
  order: "asc" | "desc";
  /** Words; all files below the folder are searched for them. */
  words?: string;
}

export const folderPages = (bucket: string, { folder, sort, order, words }: Listing) =>
  infiniteQueryOptions({
    queryKey: ["folder", bucket, folder, words ?? null, sort, order],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }): Promise<FolderPage> =>
      readPage(bucket, folder, signal, {
        ...(words ? { q: words } : { delimiter: "/", sort, order }),
        ...(pageParam ? { cursor: pageParam } : {}),
      }),
    getNextPageParam: (page) => page.next,
    // A folder may be hundreds of pages long: comparing them, or reading all of them
    // again, would cost more than it tells. Whoever comes back begins at its top.
    structuralSharing: false,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });

interface PageQuery {
  delimiter?: string;
  q?: string;
  sort?: Listing["sort"];
  order?: Listing["order"];
  cursor?: string;
}

function readPage(bucket: string, prefix: string, signal: AbortSignal, query: PageQuery) {
  return take(
    api.GET("/api/v1/buckets/{bucket}/files", {
      params: { path: { bucket }, query: { ...query, prefix, limit: PAGE } },
      signal,
    }),
  );
}

/** Every file below a prefix, page after page. */
export async function* filesBelow(
  bucket: string,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<StoredFile[]> {
  let cursor: string | null = null;
  do {
    const page: FolderPage = await readPage(bucket, prefix, signal, cursor ? { cursor } : {});
    yield page.items;
    cursor = page.next;
  } while (cursor !== null);
}

/** How much is below a prefix; each who asks is told it anew. */
export const sumBelow = (bucket: string, prefix: string) =>
  queryOptions({
    queryKey: ["sum", bucket, prefix],
    queryFn: ({ signal }) =>
      take(
        api.GET("/api/v1/buckets/{bucket}/sum", {
          params: { path: { bucket }, query: { prefix } },
          signal,
        }),
      ),
    staleTime: 0,
    gcTime: 0,
  });

export const fileQuery = (bucket: string, path: string) =>
  queryOptions({
    queryKey: ["file", bucket, path],
    queryFn: ({ signal }) => readFile(bucket, path, signal),
  });

export const readFile = (bucket: string, path: string, signal: AbortSignal) =>
  take(
    api.GET("/api/v1/buckets/{bucket}/details/{path}", {
      params: { path: { bucket, path } },
      signal,
    }),
  );

/** What was deleted, or what was overwritten (or deleted where versions are kept). */
export type Heap = "trash" | "versions";

export const pastPages = (bucket: string, heap: Heap) =>
  infiniteQueryOptions({
    queryKey: ["past", bucket, heap],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => readPast(bucket, heap, { cursor: pageParam }, signal),
    getNextPageParam: (page) => page.next,
    structuralSharing: false,
    gcTime: 0,
  });

/** The older versions of one file, the newest first. */
export const versionPages = (bucket: string, path: string) =>
  infiniteQueryOptions({
    queryKey: ["past", bucket, "versions", path],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      readPast(bucket, "versions", { cursor: pageParam, path }, signal),
    getNextPageParam: (page) => page.next,
    gcTime: 0,
  });

interface PastQuery {
  cursor: string | null;
  path?: string;
}

function readPast(bucket: string, heap: Heap, { cursor, path }: PastQuery, signal: AbortSignal) {
  const query = {
    limit: PAGE,
    ...(cursor ? { cursor } : {}),
    ...(path === undefined ? {} : { path }),
  };
  const asked = { params: { path: { bucket }, query }, signal };
  return take(
    heap === "trash"
      ? api.GET("/api/v1/buckets/{bucket}/trash", asked)
      : api.GET("/api/v1/buckets/{bucket}/versions", asked),
  );
}

/** Where the content of a deleted file or an older version is, to be saved. */
export function pastAddress(bucket: string, id: string): string {
  return `/api/v1/buckets/${encodeURIComponent(bucket)}/past/${id}?download=1`;
}

/** Where a file's content is. */
export function fileAddress(bucket: string, path: string, query: "" | "?download=1" = ""): string {
  // Some proxies make one of two slashes.
  const plain = !path.startsWith("/") && !path.includes("//");
  const encoded = plain
    ? path.split("/").map(encodeURIComponent).join("/")
    : encodeURIComponent(path);
  return `/api/v1/buckets/${encodeURIComponent(bucket)}/files/${encoded}${query}`;
}

export const deleteFile = (bucket: string, path: string, signal?: AbortSignal) =>
  take(
    api.DELETE("/api/v1/buckets/{bucket}/files/{path}", {
      params: { path: { bucket, path } },
      ...(signal ? { signal } : {}),
    }),
  );

/** `replace`: also where something lies at its path now. */
export const restoreFile = (
  bucket: string,
  id: string,
  { replace = false, signal }: { replace?: boolean; signal?: AbortSignal } = {},
) =>
  take(
    api.POST("/api/v1/buckets/{bucket}/restore", {
      params: { path: { bucket } },
      body: { id, replace },
      ...(signal ? { signal } : {}),
    }),
  );

export async function purgeFile(bucket: string, id: string, signal?: AbortSignal): Promise<void> {
  await api.DELETE("/api/v1/buckets/{bucket}/past/{id}", {
    params: { path: { bucket, id } },
    ...(signal ? { signal } : {}),
  });
}

export interface Move {
  from: string;
  to: string;
  to_bucket: string;
}

/** Never onto another file. */
export const moveFile = (bucket: string, body: Move, signal?: AbortSignal) =>
  take(
    api.POST("/api/v1/buckets/{bucket}/move", {
      params: { path: { bucket }, header: { "If-None-Match": "*" } },
      body,
      ...(signal ? { signal } : {}),
    }),
  );

/** `etag`: as it was read, so that what somebody else put there since is not described. */
export const describeFile = (bucket: string, path: string, etag: string, body: FileChange) =>
  take(
    api.PATCH("/api/v1/buckets/{bucket}/files/{path}", {
      params: { path: { bucket, path }, header: { "If-Match": `"${etag}"` } },
      body: body as Required<FileChange>,
    }),
  );

export const changeBucket = (bucket: string, body: BucketChange) =>
  take(
    api.PATCH("/api/v1/buckets/{bucket}", {
      params: { path: { bucket } },
      body: body as Required<BucketChange>,
    }),
  );

export const makeBucket = (name: string) => take(api.POST("/api/v1/buckets", { body: { name } }));

export async function deleteBucket(bucket: string): Promise<void> {
  await api.DELETE("/api/v1/buckets/{bucket}", { params: { path: { bucket } } });
}

export type BucketAction = "read" | "list" | "write" | "delete" | "share" | "change";

const holds = (actions: readonly string[], action: BucketAction) => actions.includes(action);

/** Whether the caller may do this at a path, or in all of the bucket. */
export function may({ actions, within }: Bucket, action: BucketAction, path = ""): boolean {
  return (
    holds(actions, action) ||
    within.some((part) => path.startsWith(part.prefix) && holds(part.actions, action))
  );
}

/** Folders that are open to the caller where the whole bucket is not. */
export function openFolders({ within }: Bucket): string[] {
  const listed = within.filter(
    ({ prefix, actions }) => prefix.endsWith("/") && actions.includes("list"),
  );
  return [...new Set(listed.map(({ prefix }) => prefix))];
}

export function mayAnywhere({ actions, within }: Bucket, action: BucketAction): boolean {
  return holds(actions, action) || within.some((part) => holds(part.actions, action));
}
