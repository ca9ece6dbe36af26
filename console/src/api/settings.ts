// Users, tokens, secrets, schedules, the record of who did what, and what this server is.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";

export const userList = queryOptions({
  queryKey: ["users"],
  queryFn: () => take(api.GET("/api/v1/users")),
});

export const userSessions = (name: string) =>
  queryOptions({
    queryKey: ["user-sessions", name],
    queryFn: () => take(api.GET("/api/v1/users/{name}/sessions", { params: { path: { name } } })),
  });

export const tokenList = queryOptions({
  queryKey: ["tokens"],
  queryFn: () => take(api.GET("/api/v1/tokens")),
});

export const secretList = queryOptions({
  queryKey: ["secrets"],
  queryFn: () => take(api.GET("/api/v1/secrets")),
});

export const about = queryOptions({
  queryKey: ["about"],
  queryFn: () => take(api.GET("/api/v1/about")),
});

export const scheduleList = queryOptions({
  queryKey: ["schedules"],
  queryFn: () => take(api.GET("/api/v1/schedules")),
});

/** What a cron expression means, and when it runs next. */
export const schedulePreview = (cron: string, zone: string) =>
  queryOptions({
    queryKey: ["schedule-preview", cron, zone],
    retry: false,
    queryFn: ({ signal }) =>
      take(api.POST("/api/v1/schedules/preview", { body: { cron, zone }, signal })),
  });

export interface AuditQuery {
  actor?: string;
  action?: string;
  subject?: string;
  from?: string;
}

export const auditPages = (query: AuditQuery) =>
  infiniteQueryOptions({
    queryKey: ["audit", query],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      take(
        api.GET("/api/v1/audit", {
          params: { query: { ...query, limit: 50, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next,
  });
