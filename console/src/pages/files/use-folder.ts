// What a folder shows: its pages as one scrolls, with what happens here put in place.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { folderPages, type Listing } from "../../api/files";
import { queryClient } from "../../api/query-client";
import type { StoredFile } from "../../api/types";
import { transfers } from "../../transfers/transfers";
import { type FolderPages, rowsOf, withFiles, withoutKeys } from "./rows";

// What arrives in a quick row is shown together.
const GATHER_MS = 150;

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
    };
  }, [options, folder, sort, order, words]);
  useArrivals(bucket, change.put);
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
