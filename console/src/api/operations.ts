// Reading and steering operations.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { changeInPages, type Pages } from "./pages";
import { queryClient } from "./query-client";
import type { Operation, OperationDetail, Paths } from "./types";

export type OperationsQuery = NonNullable<
  Paths["/api/v1/operations"]["get"]["parameters"]["query"]
>;

export const operationQuery = (id: string) =>
  queryOptions({
    queryKey: ["operation", id],
    queryFn: ({ signal }) => readOperation(id, signal),
  });

/** Operations that are being read, with the newest that was heard of them meanwhile. */
const readings = new Set<{ id: string; heard: Operation | null }>();

// What is heard while the answer is on its way may be newer than it.
async function readOperation(id: string, signal: AbortSignal): Promise<OperationDetail> {
  const reading: { id: string; heard: Operation | null } = { id, heard: null };
  readings.add(reading);
  try {
    const options = { params: { path: { id } }, signal };
    const read = await take(api.GET("/api/v1/operations/{id}", options));
    const { heard } = reading;
    return heard !== null && heard.changed > read.changed ? { ...read, ...heard } : read;
  } finally {
    readings.delete(reading);
  }
}

export const operationPages = (query: OperationsQuery) =>
  infiniteQueryOptions({
    queryKey: ["operations", query],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      take(
        api.GET("/api/v1/operations", {
          params: { query: { ...query, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next,
  });

export const operationKinds = queryOptions({
  queryKey: ["operation-kinds"],
  staleTime: 300_000,
  queryFn: () => take(api.GET("/api/v1/operation-kinds")),
});

export const cancelOperation = (id: string) =>
  take(api.POST("/api/v1/operations/{id}/cancel", { params: { path: { id } } }));

export const retryOperation = (id: string) =>
  take(api.POST("/api/v1/operations/{id}/retry", { params: { path: { id } } }));

/** Puts a change into what is shown, unless something newer is there already. */
export function mergeOperation(operation: Operation): void {
  for (const reading of readings) {
    const newer = reading.heard === null || reading.heard.changed < operation.changed;
    if (reading.id === operation.id && newer) reading.heard = operation;
  }
  queryClient.setQueryData<OperationDetail>(operationQuery(operation.id).queryKey, (known) =>
    known && known.changed <= operation.changed ? { ...known, ...operation } : known,
  );
}

export type OperationPages = Pages<Operation>;

/** The same for a list; false when the list does not hold this operation. */
export function mergeIntoPages(queryKey: readonly unknown[], operation: Operation): boolean {
  return changeInPages<Operation>(queryKey, operation.id, (known) =>
    known.changed < operation.changed ? operation : known,
  );
}
