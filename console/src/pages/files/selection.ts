// What is chosen in a list of keys, and where the keyboard stands in it. Pure, so that
// a list of 100,000 costs what was changed and no more.

export interface Selection {
  chosen: ReadonlySet<string>;
  /** Where the keyboard stands. */
  at: string | null;
  /** Where a range begins. */
  anchor: string | null;
}

export const NOTHING: Selection = { chosen: new Set(), at: null, anchor: null };

/** Turns one on or off. */
export function toggled(before: Selection, key: string): Selection {
  const chosen = new Set(before.chosen);
  if (!chosen.delete(key)) chosen.add(key);
  return { chosen, at: key, anchor: key };
}

/** Chooses all from the anchor to `key`, besides what was chosen. */
export function extended(before: Selection, keys: readonly string[], key: string): Selection {
  const to = keys.indexOf(key);
  const from = before.anchor === null ? -1 : keys.indexOf(before.anchor);
  if (to === -1) return before;
  if (from === -1) return toggled({ ...before, chosen: without(before.chosen, key) }, key);
  const chosen = new Set(before.chosen);
  for (const within of keys.slice(Math.min(from, to), Math.max(from, to) + 1)) chosen.add(within);
  return { chosen, at: key, anchor: before.anchor };
}

export function all(before: Selection, keys: readonly string[]): Selection {
  return { ...before, chosen: new Set(keys) };
}

/** Moves the keyboard by `by` rows; beyond the ends it stays at them. */
export function moved(before: Selection, keys: readonly string[], by: number): Selection {
  if (keys.length === 0) return before;
  const now = before.at === null ? -1 : keys.indexOf(before.at);
  const next = now === -1 ? (by > 0 ? 0 : keys.length - 1) : now + by;
  const at = keys[Math.min(keys.length - 1, Math.max(0, next))] ?? null;
  return { ...before, at };
}

/** The same, choosing what one passes. */
export function movedChoosing(before: Selection, keys: readonly string[], by: number): Selection {
  const start = before.anchor ?? before.at;
  const next = moved(before, keys, by);
  if (next.at === null) return next;
  return extended({ ...next, anchor: start ?? next.at }, keys, next.at);
}

/** After some are gone: the keyboard stands where the first of them stood. */
export function afterRemoval(
  before: Selection,
  keys: readonly string[],
  gone: ReadonlySet<string>,
): Selection {
  const chosen = new Set([...before.chosen].filter((key) => !gone.has(key)));
  let at = before.at;
  if (at !== null && gone.has(at)) {
    const from = keys.indexOf(at);
    at =
      keys.slice(from).find((key) => !gone.has(key)) ??
      keys.slice(0, from).findLast((key) => !gone.has(key)) ??
      null;
  }
  const anchor = before.anchor !== null && gone.has(before.anchor) ? null : before.anchor;
  return { chosen, at, anchor };
}

function without(chosen: ReadonlySet<string>, key: string): Set<string> {
  const rest = new Set(chosen);
  rest.delete(key);
  return rest;
}
