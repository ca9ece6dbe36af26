// What runs and what waits, in words: one is not taken for the other.
import { isRunning } from "../api/feed";
import type { Operation } from "../api/types";
import { countSoFar } from "../format/numbers";

export interface ActiveCounts {
  running: number;
  queued: number;
}

export function countActive(active: readonly Pick<Operation, "state">[]): ActiveCounts {
  const running = active.filter(isRunning).length;
  return { running, queued: active.length - running };
}

/** Such as "2 running, 3 queued"; empty where there is neither. */
export function activeWords({ running, queued }: ActiveCounts, more = false): string {
  const words = [];
  if (running > 0) words.push(`${countSoFar(running, more)} running`);
  if (queued > 0) words.push(`${countSoFar(queued, more)} queued`);
  return words.join(", ");
}
