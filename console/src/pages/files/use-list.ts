// What a list and tiles have in common: pages are read well before one comes to them, and
// where the keyboard stands is kept in sight.
import { useEffect, useRef } from "react";
import type { Row } from "./rows";
import type { useFolder } from "./use-folder";

export type FolderQuery = ReturnType<typeof useFolder>["query"];

// Rows are read this far ahead: three pages.
const AHEAD = 600;

/** Reads on where `lowest` is the last row on the page. */
export function useReadingAhead(query: FolderQuery, lowest: number, count: number): void {
  const { hasNextPage, isFetchingNextPage, fetchNextPage, error } = query;
  useEffect(() => {
    const near = lowest >= count - AHEAD;
    if (near && hasNextPage && !isFetchingNextPage && !error) void fetchNextPage();
  }, [lowest, count, hasNextPage, isFetchingNextPage, error, fetchNextPage]);
}

// It is brought in sight only when it moves: rows that come in above must not drag the
// reader along.
export function useStanding(
  rows: readonly Row[],
  at: string | null,
  scrollTo: (index: number) => void,
): number {
  const index = at === null ? -1 : rows.findIndex(({ key }) => key === at);
  const before = useRef(at);
  useEffect(() => {
    if (before.current === at) return;
    before.current = at;
    if (index >= 0) scrollTo(index);
  }, [at, index, scrollTo]);
  return index;
}
