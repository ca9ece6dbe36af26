// How many operations failed within the last day; beyond a page it says "more".
import { useQuery } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { useOperationChanges } from "../../api/use-live";

const DAY_MS = 86_400_000;
const COUNTED = 100;

export function useFailures(): { count: number; more: boolean } | null {
  const { data, refetch } = useQuery({
    queryKey: ["failures-of-the-day"],
    queryFn: ({ signal }) => {
      const from = new Date(Date.now() - DAY_MS).toISOString();
      const query = { state: "failed" as const, from, limit: COUNTED };
      return take(api.GET("/api/v1/operations", { params: { query }, signal }));
    },
  });
  useOperationChanges(
    ({ state }) => {
      if (state === "failed") void refetch();
    },
    () => void refetch(),
  );
  return data ? { count: data.items.length, more: data.next !== null } : null;
}
