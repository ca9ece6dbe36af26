// Syncs: what is delivered from where to where, and how far every file of it is.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { Client } from "openapi-fetch";
import { api, take } from "./client";
import type {
  CheckedThing,
  Delivery,
  DeliveryState,
  DryRun,
  Pass,
  SyncChange,
  SyncShown,
} from "./sync-types";

// As the server's description has them.
interface Answers<T> {
  responses: { 200: { headers: Record<string, unknown>; content: { "application/json": T } } };
}
interface Items<T> {
  items: T[];
  next?: string | null;
}
interface OfSync {
  path: { sync: string };
}
interface OfDelivery {
  path: { sync: string; id: string };
}
type Asked<P> = { parameters: P };
type Doing<P, T> = { post: Asked<P> & Answers<T> };
interface Started {
  operation: string;
}
interface SyncPaths {
  "/api/v1/syncs": { get: Answers<Items<SyncShown>> };
  "/api/v1/syncs/{sync}": {
    get: Asked<OfSync> & Answers<SyncShown>;
    patch: Asked<OfSync> &
      Answers<SyncShown> & { requestBody: { content: { "application/json": SyncChange } } };
    delete: Asked<OfSync> & Answers<never>;
  };
  "/api/v1/syncs/{sync}/run": Doing<OfSync, Started>;
  "/api/v1/syncs/{sync}/pause": Doing<OfSync, SyncShown>;
  "/api/v1/syncs/{sync}/resume": Doing<OfSync, SyncShown>;
  "/api/v1/syncs/{sync}/verify": {
    post: Asked<OfSync> &
      Answers<Started> & { requestBody: { content: { "application/json": { again: boolean } } } };
  };
  "/api/v1/syncs/{sync}/retry": Doing<OfSync, { retried: number; operation: string | null }>;
  "/api/v1/syncs/{sync}/check": Doing<OfSync, Items<CheckedThing>>;
  "/api/v1/syncs/{sync}/dry-run": Doing<OfSync, DryRun>;
  "/api/v1/syncs/{sync}/passes": {
    get: Asked<OfSync & { query: { limit: number; cursor?: string } }> & Answers<Items<Pass>>;
  };
  "/api/v1/syncs/{sync}/deliveries": {
    get: Asked<OfSync & { query: DeliveryQuery & { limit: number; cursor?: string } }> &
      Answers<Items<Delivery>>;
  };
  "/api/v1/syncs/{sync}/deliveries/{id}/retry": Doing<OfDelivery, Delivery>;
  "/api/v1/syncs/{sync}/deliveries/{id}/deliver-again": Doing<OfDelivery, Delivery>;
}

export interface DeliveryQuery {
  state?: DeliveryState;
  target?: string;
  type?: string;
  q?: string;
}

const syncs = api as unknown as Client<SyncPaths>;
const of = (sync: string) => ({ params: { path: { sync } } });

export const syncList = queryOptions({
  queryKey: ["syncs"],
  queryFn: ({ signal }) => take(syncs.GET("/api/v1/syncs", { signal })),
});

export const syncQuery = (sync: string) =>
  queryOptions({
    queryKey: ["sync", sync],
    queryFn: ({ signal }) => take(syncs.GET("/api/v1/syncs/{sync}", { ...of(sync), signal })),
  });

const PAGE = 50;

export const deliveryPages = (sync: string, query: DeliveryQuery) =>
  infiniteQueryOptions({
    queryKey: ["sync", sync, "deliveries", query],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      take(
        syncs.GET("/api/v1/syncs/{sync}/deliveries", {
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
        syncs.GET("/api/v1/syncs/{sync}/passes", {
          params: {
            path: { sync },
            query: { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next,
  });

export const runSync = (sync: string) => take(syncs.POST("/api/v1/syncs/{sync}/run", of(sync)));

export const pauseSync = (sync: string, paused: boolean) =>
  take(
    paused
      ? syncs.POST("/api/v1/syncs/{sync}/pause", of(sync))
      : syncs.POST("/api/v1/syncs/{sync}/resume", of(sync)),
  );

/** `again`: what is missing at a target is delivered once more. */
export const verifySync = (sync: string, again: boolean) =>
  take(syncs.POST("/api/v1/syncs/{sync}/verify", { ...of(sync), body: { again } }));

export const retryFailed = (sync: string) =>
  take(syncs.POST("/api/v1/syncs/{sync}/retry", of(sync)));

export const checkSync = (sync: string) => take(syncs.POST("/api/v1/syncs/{sync}/check", of(sync)));

export const dryRunSync = (sync: string) =>
  take(syncs.POST("/api/v1/syncs/{sync}/dry-run", of(sync)));

export const changeSync = (sync: string, body: SyncChange) =>
  take(syncs.PATCH("/api/v1/syncs/{sync}", { ...of(sync), body }));

export const deleteSync = (sync: string) => syncs.DELETE("/api/v1/syncs/{sync}", of(sync));

const ofDelivery = (sync: string, id: string) => ({ params: { path: { sync, id } } });

export const retryDelivery = (sync: string, id: string) =>
  take(syncs.POST("/api/v1/syncs/{sync}/deliveries/{id}/retry", ofDelivery(sync, id)));

export const deliverAgain = (sync: string, id: string) =>
  take(syncs.POST("/api/v1/syncs/{sync}/deliveries/{id}/deliver-again", ofDelivery(sync, id)));
