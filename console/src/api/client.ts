// The one HTTP client. It adds the CSRF header to whatever changes something
// and turns every failure into a ProblemError.
import createClient, { type Middleware } from "openapi-fetch";
import { problemOf, unreachable } from "./problem";
import type { Paths } from "./types";

const CHANGING = new Set(["POST", "PUT", "PATCH", "DELETE"]);

let csrf: string | null = null;
let signedOut: () => void = () => {};
let renewCsrf: () => Promise<unknown> = async () => {};

export function setCsrf(token: string | null): void {
  csrf = token;
}

/** The token for requests that cannot go through `api`, as those that show progress. */
export function csrfToken(): string | null {
  return csrf;
}

/** Asks for a token anew after `refused` was; whether there is another one now. */
export async function freshCsrf(refused: string | null): Promise<boolean> {
  await renewCsrf();
  return csrf !== null && csrf !== refused;
}

/** Called whenever the server no longer knows this browser's session. */
export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

/** Called when the token is refused, as after logging in anew in another tab. */
export function onCsrfRefused(renew: () => Promise<unknown>): void {
  renewCsrf = renew;
}

// A request's body can be sent once, so a copy is kept until it was taken.
const copies = new WeakMap<Request, Request>();

const rules: Middleware = {
  onRequest({ request }) {
    if (csrf && CHANGING.has(request.method)) {
      request.headers.set("X-CSRF-Token", csrf);
      copies.set(request, request.clone());
    }
    return request;
  },
  async onResponse({ request, response }) {
    if (response.ok) return undefined;
    const copy = copies.get(request);
    copies.delete(request);
    if (response.status === 403 && copy) {
      const problem = await problemOf(response.clone());
      const again = problem.code === "csrf" ? await sendAgain(copy) : null;
      if (again?.ok) return again;
      throw again ? await problemOf(again) : problem;
    }
    if (response.status === 401 && !new URL(request.url).pathname.endsWith("/session")) signedOut();
    throw await problemOf(response);
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return error;
    return unreachable();
  },
};

// Once, with the token of whoever is logged in now.
async function sendAgain(request: Request): Promise<Response | null> {
  const refused = csrf;
  if (!(await freshCsrf(refused)) || csrf === null) return null;
  request.headers.set("X-CSRF-Token", csrf);
  return fetch(request);
}

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
