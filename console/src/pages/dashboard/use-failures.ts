// How many operations failed within the last day; beyond a page it says "more".
import { useThrottledCallback } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { useOperationChanges } from "../../api/use-live";

const DAY_MS = 86_400_000;
const COUNTED = 100;
const CALM_MS = 1_000;

export function useFailures() {
  const { data, error, refetch } = useQuery({
    queryKey: ["failures-of-the-day"],
    queryFn: ({ signal }) => {
      const from = new Date(Date.now() - DAY_MS).toISOString();
      const query = { state: "failed" as const, from, limit: COUNTED };
      return take(api.GET("/api/v1/operations", { params: { query }, signal }));
    },
  });
  const recount = useThrottledCallback(() => void refetch(), CALM_MS);
  useOperationChanges(({ state }) => {
    if (state === "failed") recount();
  }, recount);
  return {
    /** Null until it is known. */
    counted: data?.items.length ?? null,
    more: data ? data.next !== null : false,
    error,
    refetch,
  };
}
