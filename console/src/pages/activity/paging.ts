// When the table reads on by itself, and what waits to be shown in it.
import type { OperationPages } from "../../api/operations";
import type { Operation } from "../../api/types";
import type { Filters } from "./filters";

/** A page may be empty and still have a next one; this many are read at a go. */
export const EMPTY_IN_A_ROW = 20;

/** Empty pages at the end of what was read. */
export function emptyTail(data: OperationPages | undefined): number {
  const pages = data?.pages ?? [];
  let empty = 0;
  while (pages[pages.length - 1 - empty]?.items.length === 0) empty += 1;
  return empty;
}

/** Whether the reader must ask before more pages are read; `granted` is how often they did. */
export function mustAsk(data: OperationPages | undefined, granted: number): boolean {
  return emptyTail(data) >= EMPTY_IN_A_ROW * (granted + 1);
}

/**
 * Whether a change of an operation that is not listed makes it "new" here: it stands in
 * the part that was read, and came into the list since. What follows on a later page
 * is read with that page.
 */
export function standsInRead(
  operation: Operation,
  filters: Filters,
  data: OperationPages,
): boolean {
  const more = data.pages.at(-1)?.next;
  const last = data.pages.flatMap((page) => page.items).at(-1);
  if (filters.sort || more === null || more === undefined) return true;
  if (last === undefined) return false;
  return filters.order === "asc"
    ? operation.created_at < last.created_at
    : operation.created_at > last.created_at;
}

/** What waits to be shown, after a change of one operation: it is a part of that while it is new. */
export function afterChange(
  waiting: ReadonlySet<string>,
  id: string,
  isNew: boolean,
): ReadonlySet<string> {
  if (waiting.has(id) === isNew) return waiting;
  const next = new Set(waiting);
  if (isNew) next.add(id);
  else next.delete(id);
  return next;
}

/** How many of them are not listed yet: a list that was read again holds what had come. */
export function notListed(waiting: ReadonlySet<string>, listed: readonly Operation[]): number {
  if (waiting.size === 0) return 0;
  const ids = new Set(listed.map(({ id }) => id));
  return [...waiting].filter((id) => !ids.has(id)).length;
}
