// What happens to bundles, put into a list that is shown so that its rows stay where they
// are: what is listed changes in place, and what is not waits to be asked for. The list is
// sorted by id, and ids grow with time.
import { bundlePages, readBundle } from "../../api/bundles";
import { isActive } from "../../api/feed";
import { changeInPages, dropFromPages } from "../../api/pages";
import { asProblem } from "../../api/problem";
import { queryClient } from "../../api/query-client";
import type { Bundle, Operation } from "../../api/types";

export function listHolds(id: string): boolean {
  const known = queryClient.getQueryData(bundlePages.queryKey);
  return known?.pages.some(({ items }) => items.some((item) => item.id === id)) ?? false;
}

/** Puts a bundle, as it was read, in its place; says nothing of one that is not listed. */
export function putIntoList(read: Bundle): void {
  changeInPages<Bundle>(bundlePages.queryKey, read.id, (known) =>
    changeOf(known) <= changeOf(read) ? read : known,
  );
}

/** Reads a bundle into its place. One that somebody deleted meanwhile has none any more. */
export async function readIntoList(id: string): Promise<void> {
  try {
    putIntoList(await readBundle(id));
  } catch (error) {
    if (asProblem(error).status !== 404) throw error;
    dropFromPages(bundlePages.queryKey, id);
  }
}

/** The same for its operation alone, which does not know the size of the zip. */
export function putOperationIntoList(operation: Operation): void {
  changeInPages<Bundle>(bundlePages.queryKey, operation.id, (known) =>
    changeOf(known) < operation.changed ? { ...known, state: operation.state, operation } : known,
  );
}

function changeOf({ operation }: Bundle): number {
  return operation?.changed ?? 0;
}

/**
 * Which wait to be shown after this change of one that is not listed. Who deletes a bundle
 * that is being made has it cancelled first, and nothing is told of it afterwards: one that
 * was cancelled is none that is waited for.
 */
export function waitingAfter(
  waiting: ReadonlySet<string>,
  { id, kind, state }: Operation,
): ReadonlySet<string> {
  const waits = kind === "bundle" && state !== "cancelled";
  if (waits === waiting.has(id)) return waiting;
  return waits ? new Set([...waiting, id]) : new Set([...waiting].filter((other) => other !== id));
}

interface Comparison {
  /** Begun since the list was read. */
  fresh: string[];
  /** Still going on as far as is known, and too old to be among what was read. */
  unread: string[];
  /** The list holds what there is no more: it is another one now. */
  replaced: boolean;
}

/** What the newest bundles, read anew, say about the list that is shown. */
export function compareList(
  listed: readonly Bundle[],
  newest: { items: readonly Bundle[]; next?: string | null },
): Comparison {
  const { items, next } = newest;
  const read = new Set(items.map(idOf));
  const first = listed[0]?.id ?? "";
  const last = next ? (items.at(-1)?.id ?? "") : "";
  const missing = listed.filter(({ id }) => !read.has(id));
  return {
    fresh: items.map(idOf).filter((id) => id > first),
    unread: missing.filter((bundle) => bundle.id < last && isActive(bundle)).map(idOf),
    replaced: missing.some(({ id }) => id > last),
  };
}

function idOf({ id }: Bundle): string {
  return id;
}
