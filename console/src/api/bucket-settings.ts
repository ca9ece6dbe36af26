// What is set beside a bucket's rules: grants, those who are told of its files, the hook
// of its store, and comparing with it.
import { queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { ProblemError } from "./problem";
import type { Hook, NewGrant, NewWebhook } from "./types";

const of = (bucket: string) => ({ params: { path: { bucket } } });

export const grantList = (bucket: string) =>
  queryOptions({
    queryKey: ["grants", bucket],
    queryFn: ({ signal }) =>
      take(api.GET("/api/v1/buckets/{bucket}/grants", { ...of(bucket), signal })),
  });

export const makeGrant = (bucket: string, body: NewGrant) =>
  take(api.POST("/api/v1/buckets/{bucket}/grants", { ...of(bucket), body }));

export const removeGrant = (bucket: string, id: string) =>
  api.DELETE("/api/v1/buckets/{bucket}/grants/{id}", { params: { path: { bucket, id } } });

export const webhookList = (bucket: string) =>
  queryOptions({
    queryKey: ["webhooks", bucket],
    queryFn: ({ signal }) =>
      take(api.GET("/api/v1/buckets/{bucket}/webhooks", { ...of(bucket), signal })),
  });

export const makeWebhook = (bucket: string, body: NewWebhook) =>
  take(api.POST("/api/v1/buckets/{bucket}/webhooks", { ...of(bucket), body }));

export const switchWebhook = (bucket: string, id: string, enabled: boolean) =>
  take(
    api.PATCH("/api/v1/buckets/{bucket}/webhooks/{id}", {
      params: { path: { bucket, id } },
      body: { enabled },
    }),
  );

export const removeWebhook = (bucket: string, id: string) =>
  api.DELETE("/api/v1/buckets/{bucket}/webhooks/{id}", { params: { path: { bucket, id } } });

/** The hook of a bucket, or null where it has none. */
export const hookQuery = (bucket: string) =>
  queryOptions({
    queryKey: ["hook", bucket],
    queryFn: async ({ signal }): Promise<Hook | null> => {
      try {
        return await take(api.GET("/api/v1/buckets/{bucket}/hook", { ...of(bucket), signal }));
      } catch (error) {
        if (error instanceof ProblemError && error.status === 404) return null;
        throw error;
      }
    },
  });

export const renewHook = (bucket: string) =>
  take(api.POST("/api/v1/buckets/{bucket}/hook", of(bucket)));

export const endHook = (bucket: string) => api.DELETE("/api/v1/buckets/{bucket}/hook", of(bucket));

export const compareWithStore = (bucket: string, prefix: string, dryRun: boolean) =>
  take(
    api.POST("/api/v1/buckets/{bucket}/reconcile", {
      ...of(bucket),
      body: { prefix, dry_run: dryRun },
    }),
  );

/** Everybody's tokens and access keys, for admins: to whom something can be granted. */
export const allTokens = queryOptions({
  queryKey: ["tokens", "all"],
  queryFn: ({ signal }) =>
    take(api.GET("/api/v1/tokens", { params: { query: { all: true } }, signal })),
});

export const allAccessKeys = queryOptions({
  queryKey: ["access-keys", "all"],
  queryFn: ({ signal }) =>
    take(api.GET("/api/v1/access-keys", { params: { query: { all: true } }, signal })),
});

export const accessKeyList = queryOptions({
  queryKey: ["access-keys"],
  queryFn: ({ signal }) => take(api.GET("/api/v1/access-keys", { signal })),
});
