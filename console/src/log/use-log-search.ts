// Searching the whole log on the server, and walking from hit to hit.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { api, take } from "../api/client";

const PAGE = 100;

export interface LogSearch {
  text: string;
  regex: boolean;
  setText: (text: string) => void;
  setRegex: (regex: boolean) => void;
  /** The lines that match, as far as they have been read. */
  hits: readonly number[];
  total: number;
  /** Which hit is shown, from 0; -1 before the first step. */
  at: number;
  current: number | null;
  step: (by: 1 | -1) => void;
  searching: boolean;
  error: unknown;
}

export function useLogSearch(operation: string): LogSearch {
  const [text, setText] = useState("");
  const [regex, setRegex] = useState(false);
  const [at, setAt] = useState(-1);
  const query = useInfiniteQuery({
    queryKey: ["log-search", operation, text, regex],
    enabled: text !== "",
    retry: false,
    initialPageParam: 1,
    queryFn: ({ pageParam, signal }) =>
      take(
        api.GET("/api/v1/operations/{id}/log/search", {
          params: {
            path: { id: operation },
            query: { q: text, regex, from: pageParam, limit: PAGE },
          },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next,
  });
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const hits = useMemo(
    () => data?.pages.flatMap((page) => page.matches.map(({ seq }) => seq)) ?? [],
    [data],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: another search starts before its first hit
  useEffect(() => setAt(-1), [text, regex]);
  useEffect(() => {
    if (at === -1 && hits.length > 0) setAt(0);
    if (at >= hits.length - 1 && hits.length > 0 && hasNextPage && !isFetchingNextPage) {
      void fetchNextPage();
    }
  }, [at, hits.length, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const step = (by: 1 | -1) => {
    if (hits.length > 0) setAt((before) => (before + by + hits.length) % hits.length);
  };
  return {
    text,
    regex,
    setText,
    setRegex,
    hits,
    total: Math.max(data?.pages[0]?.total ?? 0, hits.length),
    at,
    current: hits[at] ?? null,
    step,
    searching: query.isFetching,
    error: text === "" ? null : query.error,
  };
}
