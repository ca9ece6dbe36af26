// The stretch of the log that can be scrolled through. A whole log of a million
// lines would be taller than browsers can lay out, so there is a window onto it.
import { useState } from "react";
import type { LogStore } from "./log-store";

export const WINDOW_LINES = 100_000;

/** What is there of a log: the numbers of its first and its last line. */
export type LogSpan = Pick<LogStore, "first" | "last">;

interface Elsewhere {
  lines: number;
  /** The line to go to for seeing them. */
  line: number;
}

export function useLogWindow(store: LogStore, following: boolean, target: number | null) {
  // The window's first line; null is a window that moves with the end.
  const [chosen, setChosen] = useState(() => (following ? null : startFor(target, store)));
  const [before, setBefore] = useState(following);
  if (before !== following) {
    setBefore(following);
    // From where following stops, nothing moves under the reader.
    setChosen(following ? null : (chosen ?? startOfEnd(store)));
  }
  const window = windowAt(following ? null : chosen, store);
  const reveal = (seq: number) => {
    if (seq < window.from || seq > window.to) setChosen(startFor(seq, store));
  };
  return { ...window, reveal };
}

export function windowAt(chosen: number | null, span: LogSpan) {
  const from = chosen === null ? startOfEnd(span) : Math.max(span.first, chosen);
  const to = Math.min(span.last, from + WINDOW_LINES - 1);
  const earlier: Elsewhere | null =
    from > span.first ? { lines: from - span.first, line: from - 1 } : null;
  const later: Elsewhere | null = to < span.last ? { lines: span.last - to, line: to + 1 } : null;
  return { from, to, earlier, later };
}

/** Where a window begins that has line `seq` in its middle, or else reaches the end. */
export function startFor(seq: number | null, span: LogSpan): number {
  const end = startOfEnd(span);
  return seq === null ? end : Math.max(1, Math.min(end, seq - WINDOW_LINES / 2));
}

function startOfEnd({ first, last }: LogSpan): number {
  return Math.max(first, last - WINDOW_LINES + 1);
}
