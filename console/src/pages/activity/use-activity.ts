// The table's rows: pages from the server, changes merged in place, and new
// operations counted until somebody asks to see them.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { mergeIntoPages, type OperationsQuery, operationPages } from "../../api/operations";
import { queryClient } from "../../api/query-client";
import { useOperationChanges } from "../../api/use-live";
import { belongs, type Filters, toQuery } from "./filters";
import { mustAsk, standsInRead } from "./paging";

const PAGE = 50;

export function useActivity(filters: Filters) {
  const key = JSON.stringify(filters);
  // A relative range is counted from when the list was asked for.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the filters
  const options = useMemo(() => {
    const query: OperationsQuery = { ...toQuery(filters, Date.now()), limit: PAGE };
    return operationPages(query);
  }, [key]);
  const query = useInfiniteQuery(options);
  const { data, refetch } = query;
  const operations = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);

  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  // How often the reader asked to look further where nothing was found.
  const [granted, setGranted] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other filters, other news
  useEffect(() => {
    setFresh(new Set());
    setGranted(0);
  }, [key]);

  useOperationChanges(
    (operation) => {
      if (mergeIntoPages(options.queryKey, operation) || !data) return;
      if (!belongs(operation, filters, Date.now()) || !standsInRead(operation, filters, data)) {
        return;
      }
      setFresh((before) => (before.has(operation.id) ? before : new Set(before).add(operation.id)));
    },
    () => void refetch(),
  );

  const showFresh = async () => {
    setFresh(new Set());
    await queryClient.resetQueries({ queryKey: options.queryKey });
  };
  const asks = query.hasNextPage && mustAsk(data, granted);
  return {
    query,
    operations,
    fresh: fresh.size,
    showFresh,
    asks,
    lookFurther: () => setGranted((before) => before + 1),
  };
}
