// The filtered list as a file, page after page from the same API as the table.
import { api, take } from "../../api/client";
import type { Operation } from "../../api/types";
import { type Filters, toQuery } from "./filters";

/** Beyond this a file is cut off, and says so. */
export const MOST_EXPORTED = 100_000;

const FIELDS = [
  "id",
  "kind",
  "title",
  "state",
  "subject",
  "server",
  "actor",
  "trigger",
  "attempt",
  "created_at",
  "started_at",
  "ended_at",
] as const;

export async function readAll(
  filters: Filters,
  progress: (read: number) => void,
  signal: AbortSignal,
): Promise<Operation[]> {
  const query = { ...toQuery(filters, Date.now()), limit: 200 };
  const all: Operation[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: Operation[]; next?: string | null } = await take(
      api.GET("/api/v1/operations", {
        params: { query: { ...query, ...(cursor ? { cursor } : {}) } },
        signal,
      }),
    );
    all.push(...page.items);
    progress(all.length);
    cursor = page.next ?? null;
  } while (cursor !== null && all.length < MOST_EXPORTED);
  return all.slice(0, MOST_EXPORTED);
}

/** RFC 4180. A leading =, +, - or @ is quoted away, so that no sheet runs it. */
export function toCsv(operations: readonly Operation[]): string {
  const rows = operations.map((operation) => [
    ...FIELDS.map((field) => cell(operation[field])),
    cell(operation.error?.message),
  ]);
  return [[...FIELDS, "error"], ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

function cell(value: string | number | null | undefined): string {
  const text = String(value ?? "");
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function save(text: string, type: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
