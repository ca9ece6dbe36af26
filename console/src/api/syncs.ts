// Syncs: what is delivered from where to where, and how far every file of it is.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import type { DeliveryState, NewSync, SyncChange, SyncRule } from "./types";

export interface DeliveryQuery {
  state?: DeliveryState;
  target?: string;
  type?: string;
  q?: string;
}

const of = (sync: string) => ({ params: { path: { sync } } });

export const syncList = queryOptions({
  queryKey: ["syncs"],
  queryFn: ({ signal }) => take(api.GET("/api/v1/syncs", { signal })),
});

export const syncQuery = (sync: string) =>
  queryOptions({
    queryKey: ["sync", sync],
    queryFn: ({ signal }) => take(api.GET("/api/v1/syncs/{sync}", { ...of(sync), signal })),
  });

const PAGE = 50;

export const deliveryPages = (sync: string, query: DeliveryQuery) =>
  infiniteQueryOptions({
    queryKey: ["sync", sync, "deliveries", query],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      take(
        api.GET("/api/v1/syncs/{sync}/deliveries", {
          params: {
            path: { sync },
            query: { ...query, limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next,
  });

export const passPages = (sync: string) =>
  infiniteQueryOptions({
    queryKey: ["sync", sync, "passes"],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      take(
        api.GET("/api/v1/syncs/{sync}/passes", {
          params: {
            path: { sync },
            query: { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next,
  });

export const runSync = (sync: string) => take(api.POST("/api/v1/syncs/{sync}/run", of(sync)));

export const pauseSync = (sync: string, paused: boolean) =>
  take(
    paused
      ? api.POST("/api/v1/syncs/{sync}/pause", of(sync))
      : api.POST("/api/v1/syncs/{sync}/resume", of(sync)),
  );

/** `again`: what is missing at a target is delivered once more. */
export const verifySync = (sync: string, again: boolean) =>
  take(api.POST("/api/v1/syncs/{sync}/verify", { ...of(sync), body: { again } }));

export const retryFailed = (sync: string) => take(api.POST("/api/v1/syncs/{sync}/retry", of(sync)));

export const checkSync = (sync: string) => take(api.POST("/api/v1/syncs/{sync}/check", of(sync)));

export const dryRunSync = (sync: string) =>
  take(api.POST("/api/v1/syncs/{sync}/dry-run", of(sync)));

/** By a rule that is not stored: that of a new sync, or another one for `sync`. */
export const dryRunRule = (rule: SyncRule, sync: string | null) =>
  take(api.POST("/api/v1/sync-dry-run", { body: { rule, sync } }));

export const makeSync = (body: NewSync) => take(api.POST("/api/v1/syncs", { body }));

export const changeSync = (sync: string, body: SyncChange) =>
  take(api.PATCH("/api/v1/syncs/{sync}", { ...of(sync), body }));

export const deleteSync = (sync: string) => api.DELETE("/api/v1/syncs/{sync}", of(sync));

const ofDelivery = (sync: string, id: string) => ({ params: { path: { sync, id } } });

export const retryDelivery = (sync: string, id: string) =>
  take(api.POST("/api/v1/syncs/{sync}/deliveries/{id}/retry", ofDelivery(sync, id)));

export const deliverAgain = (sync: string, id: string) =>
  take(api.POST("/api/v1/syncs/{sync}/deliveries/{id}/deliver-again", ofDelivery(sync, id)));
