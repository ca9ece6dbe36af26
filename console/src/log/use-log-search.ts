// Searching the whole log on the server, and walking from hit to hit.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { api, take } from "../api/client";

const PAGE = 100;
/** The next page is asked for when so few hits are left. */
const AHEAD = 20;
/** While the log grows, what is new is searched this often. */
const AGAIN_MS = 5_000;

export interface LogSearch {
  text: string;
  regex: boolean;
  setText: (text: string) => void;
  setRegex: (regex: boolean) => void;
  total: number;
  /** Which hit is shown, from 0; -1 before the first step. */
  at: number;
  current: number | null;
  /** Grows with every step, also when it leads to the same hit. */
  steps: number;
  step: (by: 1 | -1) => void;
  searching: boolean;
  error: unknown;
}

/** `last` is the newest line of the log that is known. */
export function useLogSearch(operation: string, last: number): LogSearch {
  const [text, setText] = useState("");
  const [regex, setRegex] = useState(false);
  const [at, setAt] = useState(-1);
  const [steps, setSteps] = useState(0);
  const query = useInfiniteQuery({
    queryKey: ["log-search", operation, text, regex],
    enabled: text !== "",
    retry: false,
    // What was searched does not change; what came since is searched as a further page.
    staleTime: Number.POSITIVE_INFINITY,
    initialPageParam: 1,
    queryFn: async ({ pageParam, signal }) => {
      const wanted = { q: text, regex, from: pageParam, limit: PAGE };
      const page = await search(operation, wanted, signal);
      return { ...page, searched: Math.max(last, page.matches.at(-1)?.seq ?? 0) };
    },
    getNextPageParam: (page) => page.next ?? (page.searched < last ? page.searched + 1 : null),
  });
  const { data, hasNextPage, isFetching, error, fetchNextPage } = query;
  const hits = useMemo(
    () => data?.pages.flatMap((page) => page.matches.map(({ seq }) => seq)) ?? [],
    [data],
  );
  const newest = data?.pages.at(-1);
  const more = newest?.next !== null && newest?.next !== undefined;
  const counting = useQuery({
    queryKey: ["log-search-total", operation, text, regex],
    enabled: text !== "" && more && newest.searched < last,
    retry: false,
    refetchInterval: AGAIN_MS,
    queryFn: ({ signal }) => search(operation, { q: text, regex, from: 1, limit: 1 }, signal),
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another search starts before its first hit
  useEffect(() => setAt(-1), [text, regex]);
  useEffect(() => {
    if (at === -1 && hits.length > 0) setAt(0);
  }, [at, hits.length]);
  useEffect(() => {
    if (isFetching || error || !hasNextPage) return;
    if (more && at >= hits.length - AHEAD) void fetchNextPage();
    if (more) return;
    const timer = setTimeout(() => void fetchNextPage(), AGAIN_MS);
    return () => clearTimeout(timer);
  }, [at, hits.length, more, hasNextPage, isFetching, error, fetchNextPage]);
  const step = (by: 1 | -1) => {
    setAt((before) => stepped(before, by, hits.length, more));
    setSteps((before) => before + 1);
  };
  return {
    text,
    regex,
    setText,
    setRegex,
    total: Math.max(newest?.total ?? 0, counting.data?.total ?? 0, hits.length),
    at,
    current: hits[at] ?? null,
    steps,
    step,
    searching: isFetching,
    error: text === "" ? null : error,
  };
}

interface Wanted {
  q: string;
  regex: boolean;
  from: number;
  limit: number;
}

function search(id: string, query: Wanted, signal: AbortSignal) {
  return take(
    api.GET("/api/v1/operations/{id}/log/search", { params: { path: { id }, query }, signal }),
  );
}

/** The hit after a step. It goes around only when all `hits` are at hand. */
export function stepped(at: number, by: 1 | -1, hits: number, more: boolean): number {
  if (hits === 0) return at;
  const next = at + by;
  if (more) return Math.min(Math.max(next, 0), hits - 1);
  return (next + hits) % hits;
}
