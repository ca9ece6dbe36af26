// Who is using this browser. The CSRF token that comes with the session is
// handed to the client and kept nowhere else.
import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, setCsrf, take } from "./client";
import { ProblemError } from "./problem";
import { queryClient } from "./query-client";
import type { Role, Session } from "./types";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async (): Promise<Session | null> => {
    try {
      return changed(remember(await take(api.GET("/api/v1/session"))));
    } catch (error) {
      if (!isUnknown(error)) throw error;
      forgetAllRead();
      return remember(null);
    }
  },
});

export async function logIn(name: string, password: string): Promise<Session> {
  const session = await take(api.POST("/api/v1/session", { body: { name, password } }));
  remember(session);
  queryClient.setQueryData(sessionQuery.queryKey, session);
  return session;
}

export async function logOut(): Promise<void> {
  await api.DELETE("/api/v1/session");
  forgetSession();
}

/** The server no longer knows this browser; nothing read before may be shown on. */
export function forgetSession(): void {
  remember(null);
  forgetAllRead();
  queryClient.setQueryData(sessionQuery.queryKey, null);
}

// Whoever logs in next in this window may see other things.
function forgetAllRead(): void {
  queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
}

function isUnknown(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 401;
}

export function useSession(): Session | null {
  return useQuery(sessionQuery).data ?? null;
}

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

export function useMay(role: Role): boolean {
  const session = useSession();
  return session !== null && RANK[session.user.role] >= RANK[role];
}

export function isAdmin(session: Session | null | undefined): boolean {
  return session?.user.role === "admin";
}

// Another user or another role may do other things, and sees other things.
function changed(session: Session | null): Session | null {
  const before = queryClient.getQueryData<Session | null>(["session"]);
  if (!before || !session) return session;
  const same = before.user.id === session.user.id && before.user.role === session.user.role;
  if (!same) {
    void queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
  }
  return session;
}

function remember(session: Session | null): Session | null {
  setCsrf(session?.csrf ?? null);
  return session;
}
