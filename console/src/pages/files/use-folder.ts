// What a folder shows: its pages as one scrolls, with what happens here put in place.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import { folderPages, type Listing } from "../../api/files";
import type { FileEvent } from "../../api/live";
import { queryClient } from "../../api/query-client";
import type { StoredFile } from "../../api/types";
import { useFileEvents } from "../../api/use-live";
import { transfers } from "../../transfers/transfers";
import { type FolderPages, rowsOf, withFiles, withoutKeys } from "./rows";
import { changesOf } from "./watching";

// What arrives in a quick row is shown together.
const GATHER_MS = 150;
/** More at once than this is read anew. */
const MANY = 2000;
/** So many pages are read again where a folder may have become empty. */
const FEW_PAGES = 5;

export function useFolder(bucket: string, listing: Listing) {
  const { folder, sort, order, words } = listing;
  const options = useMemo(
    () => folderPages(bucket, { folder, sort, order, ...(words ? { words } : {}) }),
    [bucket, folder, sort, order, words],
  );
  const query = useInfiniteQuery(options);
  const { data } = query;
  const rows = useMemo(() => rowsOf(data), [data]);
  const change = useMemo(() => {
    const edit = (how: (pages: FolderPages) => FolderPages) =>
      queryClient.setQueryData<FolderPages>(options.queryKey, (known) => known && how(known));
    return {
      put: (files: readonly StoredFile[]) =>
        edit((pages) =>
          withFiles(pages, { folder, sort, order, ...(words ? { words } : {}) }, files),
        ),
      drop: (keys: ReadonlySet<string>) => edit((pages) => withoutKeys(pages, keys)),
      reread: () => queryClient.resetQueries({ queryKey: options.queryKey }),
      refresh: () => {
        const pages = queryClient.getQueryData<FolderPages>(options.queryKey)?.pages;
        if (pages && pages.length <= FEW_PAGES) {
          void queryClient.invalidateQueries({ queryKey: options.queryKey });
        }
      },
    };
  }, [options, folder, sort, order, words]);
  useArrivals(bucket, change.put);
  useWatching(bucket, folder, change);
  return { query, rows, change };
}

function useArrivals(bucket: string, put: (files: readonly StoredFile[]) => void): void {
  useEffect(() => {
    let gathered: StoredFile[] = [];
    let timer: ReturnType<typeof setTimeout> | null = null;
    const show = () => {
      timer = null;
      put(gathered);
      gathered = [];
    };
    const stop = transfers.onArrival((transfer, file) => {
      if (transfer.bucket !== bucket) return;
      gathered.push(file);
      timer ??= setTimeout(show, GATHER_MS);
    });
    return () => {
      stop();
      if (timer) clearTimeout(timer);
    };
  }, [bucket, put]);
}

interface Change {
  put(files: readonly StoredFile[]): void;
  drop(keys: ReadonlySet<string>): void;
  reread(): void;
  refresh(): void;
}

/** Shows what others do. */
function useWatching(bucket: string, folder: string, change: Change): void {
  const gathered = useRef<FileEvent[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const latest = useRef(change);
  latest.current = change;
  useFileEvents(
    bucket,
    folder,
    (event) => {
      gathered.current.push(event);
      timer.current ??= setTimeout(() => {
        const events = gathered.current;
        gathered.current = [];
        timer.current = null;
        if (events.length > MANY) return latest.current.reread();
        const { put, gone, deeper } = changesOf(folder, events);
        latest.current.drop(gone);
        latest.current.put(put);
        if (deeper) latest.current.refresh();
      }, GATHER_MS);
    },
    () => latest.current.reread(),
  );
  // What was gathered for another folder is no concern of this one.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is about leaving
  useEffect(
    () => () => {
      if (timer.current) clearTimeout(timer.current);
      timer.current = null;
      gathered.current = [];
    },
    [bucket, folder],
  );
}
