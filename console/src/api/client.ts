// The one HTTP client. It adds the CSRF header to whatever changes something
// and turns every failure into a ProblemError.
import createClient, { type Middleware } from "openapi-fetch";
import { problemOf, unreachable } from "./problem";
import type { Paths } from "./types";

const CHANGING = new Set(["POST", "PUT", "PATCH", "DELETE"]);

let csrf: string | null = null;
let signedOut: () => void = () => {};

export function setCsrf(token: string | null): void {
  csrf = token;
}

/** Called whenever the server no longer knows this browser's session. */
export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

const rules: Middleware = {
  onRequest({ request }) {
    if (csrf && CHANGING.has(request.method)) request.headers.set("X-CSRF-Token", csrf);
    return request;
  },
  async onResponse({ request, response }) {
    if (response.ok) return undefined;
    if (response.status === 401 && !new URL(request.url).pathname.endsWith("/session")) signedOut();
    throw await problemOf(response);
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return error;
    return unreachable();
  },
};

export const api = createClient<Paths>({
  baseUrl: globalThis.location?.origin ?? "",
  credentials: "same-origin",
});
api.use(rules);

/** The body of a successful answer. The rules above have thrown for all others. */
export async function take<T>(answer: Promise<{ data?: T }>): Promise<NonNullable<T>> {
  const { data } = await answer;
  if (data === undefined || data === null) throw unreachable();
  return data;
}
