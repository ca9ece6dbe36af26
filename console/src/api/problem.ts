// Every failed request becomes one of these, whether the server answered with a
// problem document, a proxy with a page, or nobody at all.
import type { Problem } from "./types";

export class ProblemError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly fields: ReadonlyArray<{ field: string; code: string; message: string }>;
  /** Seconds the server asked to wait, from `Retry-After` (RFC 9110, 10.2.3). */
  readonly retryAfter: number | undefined;

  constructor(problem: Partial<Problem> & { status: number; code: string }, retryAfter?: number) {
    super(problem.detail || problem.title || `The server answered ${problem.status}.`);
    this.name = "ProblemError";
    this.status = problem.status;
    this.code = problem.code;
    this.requestId = problem.request_id ?? undefined;
    this.fields = problem.errors ?? [];
    this.retryAfter = retryAfter;
  }

  /** What a person can paste into a message to whoever runs the server. */
  get report(): string {
    const lines = [this.message, ...this.fields.map((f) => `${f.field}: ${f.message}`)];
    lines.push(`code ${this.code}, status ${this.status || "none"}`);
    if (this.requestId) lines.push(`request ${this.requestId}`);
    return lines.join("\n");
  }
}

export function unreachable(): ProblemError {
  return new ProblemError({
    status: 0,
    code: "unreachable",
    detail: "The server could not be reached. Check the connection, then try again.",
  });
}

export async function problemOf(response: Response): Promise<ProblemError> {
  const wait = Number(response.headers.get("retry-after"));
  const retryAfter = Number.isFinite(wait) && wait > 0 ? wait : undefined;
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("json")) {
    try {
      const body = (await response.json()) as Partial<Problem>;
      return new ProblemError(
        { ...body, status: response.status, code: body.code ?? "unknown" },
        retryAfter,
      );
    } catch {
      // A cut-off body: the status still says enough.
    }
  }
  const detail = `The server answered ${response.status} ${response.statusText}`.trim();
  return new ProblemError({ status: response.status, code: "unknown", detail }, retryAfter);
}

/** Any thrown value as a problem, so that one panel can show them all. */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new ProblemError({ status: 0, code: "console", detail });
}
