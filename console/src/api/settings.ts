// Users, tokens, secrets and what this server is.
import { queryOptions } from "@tanstack/react-query";
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
