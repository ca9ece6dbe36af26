// Work over many files: deleting, moving, bringing back. It goes on while one looks at
// other folders, says how far it is, and keeps what failed with its reason.
import { useSyncExternalStore } from "react";
import { asProblem, type ProblemError } from "../../api/problem";

export interface Failure {
  path: string;
  error: ProblemError;
}

export interface Work {
  /** "Deleting". */
  title: string;
  done: number;
  failures: Failure[];
  running: boolean;
  cancel: () => void;
}

interface Task<T, R> {
  title: string;
  /** What is worked on; it may come bit by bit. */
  items: (signal: AbortSignal) => AsyncIterable<readonly T[]>;
  path: (item: T) => string;
  act: (item: T, signal: AbortSignal) => Promise<R>;
}

export interface Outcome<T, R> {
  done: Array<{ item: T; result: R }>;
  failures: Failure[];
  cancelled: boolean;
}

const AT_ONCE = 4;
// So many reasons are enough to see what is wrong.
const KEPT = 200;
// Shorter work is over before anybody could read of it.
const TELL_AFTER_MS = 300;

let current: Work | null = null;
const listeners = new Set<() => void>();

function tell(work: Work | null): void {
  current = work;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
};

export function useWork(): Work | null {
  return useSyncExternalStore(subscribe, () => current);
}

export function dismissWork(): void {
  if (!current?.running) tell(null);
}

/** Works through all of it, a few at once; what fails stops nothing else. */
export async function work<T, R>({ title, items, path, act }: Task<T, R>): Promise<Outcome<T, R>> {
  if (current?.running) throw new Error("Something else is being done. Wait for its end.");
  const stop = new AbortController();
  const outcome: Outcome<T, R> = { done: [], failures: [], cancelled: false };
  const since = Date.now();
  const say = (running: boolean) =>
    tell({
      title,
      done: outcome.done.length,
      failures: outcome.failures.slice(0, KEPT),
      running,
      cancel: () => stop.abort(),
    });
  current = { title, done: 0, failures: [], running: true, cancel: () => stop.abort() };
  const one = async (item: T) => {
    try {
      outcome.done.push({ item, result: await act(item, stop.signal) });
    } catch (error) {
      if (!stop.signal.aborted)
        outcome.failures.push({ path: path(item), error: asProblem(error) });
    }
    if (Date.now() - since > TELL_AFTER_MS) say(true);
  };
  try {
    for await (const batch of items(stop.signal)) await inTurns(batch, one, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) outcome.failures.push({ path: title, error: asProblem(error) });
  }
  outcome.cancelled = stop.signal.aborted;
  if (outcome.failures.length > 0) say(false);
  else tell(null);
  return outcome;
}

async function inTurns<T>(
  batch: readonly T[],
  one: (item: T) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const left = [...batch].reverse();
  const worker = async () => {
    for (let item = left.pop(); item !== undefined && !signal.aborted; item = left.pop()) {
      await one(item);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
