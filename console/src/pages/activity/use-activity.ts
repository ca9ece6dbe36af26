// The table's rows: pages from the server, changes merged in place, and new
// operations counted until somebody asks to see them.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import {
  mergeIntoPages,
  type OperationPages,
  type OperationsQuery,
  operationPages,
} from "../../api/operations";
import { queryClient } from "../../api/query-client";
import { useOperationChanges } from "../../api/use-live";
import { belongs, type Filters, toQuery } from "./filters";

const PAGE = 50;
// A page may be empty and still have a next one; this many are read at a go.
const EMPTY_IN_A_ROW = 20;

export function useActivity(filters: Filters) {
  const key = JSON.stringify(filters);
  // A relative range is counted from when the list was asked for.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the filters
  const options = useMemo(() => {
    const query: OperationsQuery = { ...toQuery(filters, Date.now()), limit: PAGE };
    return operationPages(query);
  }, [key]);
  const query = useInfiniteQuery(options);
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = query;
  const operations = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);

  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  // biome-ignore lint/correctness/useExhaustiveDependencies: other filters, other news
  useEffect(() => setFresh(new Set()), [key]);

  useOperationChanges(
    (operation) => {
      if (mergeIntoPages(options.queryKey, operation)) return;
      if (
        data &&
        belongs(operation, filters, Date.now()) &&
        operation.created_at > newestOf(filters, data, query.dataUpdatedAt)
      ) {
        setFresh((before) =>
          before.has(operation.id) ? before : new Set(before).add(operation.id),
        );
      }
    },
    () => void refetch(),
  );

  const emptyTail = countEmptyTail(data);
  useEffect(() => {
    const goOn = emptyTail > 0 && emptyTail <= EMPTY_IN_A_ROW;
    if (goOn && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [emptyTail, hasNextPage, isFetchingNextPage, fetchNextPage]);

  const showFresh = async () => {
    setFresh(new Set());
    await queryClient.resetQueries({ queryKey: options.queryKey });
  };
  return { query, operations, fresh: fresh.size, showFresh };
}

// What existed when the list was read, yet stands on a later page, is not new.
// Sorted by time, the list itself says where "new" begins, whatever our clock.
function newestOf(filters: Filters, data: OperationPages, readAt: number): string {
  const byTime = !filters.sort && !filters.order;
  const newest = data.pages.flatMap((page) => page.items)[0]?.created_at;
  return byTime && newest ? newest : new Date(readAt).toISOString();
}

function countEmptyTail(data: OperationPages | undefined): number {
  if (!data) return 0;
  let empty = 0;
  for (let i = data.pages.length - 1; i >= 0 && data.pages[i]?.items.length === 0; i -= 1) {
    empty += 1;
  }
  return empty;
}
