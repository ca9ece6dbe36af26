// The stretch of the log that can be scrolled through. A whole log of a million
// lines would be taller than browsers can lay out, so there is a window onto it.
import { useState } from "react";
import type { LogStore } from "./log-store";

export const WINDOW_LINES = 100_000;

interface Elsewhere {
  lines: number;
  /** The line to go to for seeing them. */
  line: number;
}

export function useLogWindow(store: LogStore, following: boolean, target: number | null) {
  // The first line of a window that was chosen; null is the window at the end.
  const [chosen, setChosen] = useState<number | null>(() =>
    target !== null && target <= store.last - WINDOW_LINES ? around(target) : null,
  );
  const end = Math.max(store.first, store.last - WINDOW_LINES + 1);
  const from = following || chosen === null ? end : Math.max(store.first, chosen);
  const to = Math.min(store.last, from + WINDOW_LINES - 1);
  const reveal = (seq: number) => {
    if (seq >= end) setChosen(seq > store.last - WINDOW_LINES / 2 ? null : around(seq));
    else if (seq < from || seq > to) setChosen(around(seq));
  };
  const earlier: Elsewhere | null =
    from > store.first ? { lines: from - store.first, line: from - 1 } : null;
  const later: Elsewhere | null = to < store.last ? { lines: store.last - to, line: to + 1 } : null;
  return { from, to, reveal, earlier, later };
}

function around(seq: number): number {
  return Math.max(1, seq - WINDOW_LINES / 2);
}
