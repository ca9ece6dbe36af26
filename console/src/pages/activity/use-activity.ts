// The table's rows: pages from the server, changes merged in place, and new
// operations counted until somebody asks to see them, or they belong there no more.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { mergeIntoPages, type OperationsQuery, operationPages } from "../../api/operations";
import { queryClient } from "../../api/query-client";
import { useOperationChanges } from "../../api/use-live";
import { belongs, type Filters, toQuery } from "./filters";
import { afterChange, mustAsk, notListed, standsInRead } from "./paging";

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

  const [waiting, setWaiting] = useState<ReadonlySet<string>>(new Set());
  // How often the reader asked to look further where nothing was found.
  const [granted, setGranted] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other filters, other news
  useEffect(() => {
    setWaiting(new Set());
    setGranted(0);
  }, [key]);

  useOperationChanges(
    (operation) => {
      const listed = mergeIntoPages(options.queryKey, operation);
      if (!data) return;
      const isNew =
        !listed &&
        belongs(operation, filters, Date.now()) &&
        standsInRead(operation, filters, data);
      setWaiting((before) => afterChange(before, operation.id, isNew));
    },
    () => void refetch(),
  );

  const fresh = useMemo(() => notListed(waiting, operations), [waiting, operations]);
  const showFresh = async () => {
    setWaiting(new Set());
    await queryClient.resetQueries({ queryKey: options.queryKey });
  };
  const asks = query.hasNextPage && mustAsk(data, granted);
  return {
    query,
    operations,
    fresh,
    showFresh,
    asks,
    lookFurther: () => setGranted((before) => before + 1),
  };
}
