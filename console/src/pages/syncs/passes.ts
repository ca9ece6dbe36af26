// Passes in words, and as bars.
import type { Tally } from "../../api/types";
import { count } from "../../format/numbers";

/** "12 delivered, 1 failed": only what happened. */
export function tallyWords(tally: Omit<Tally, "bytes">): string {
  const { delivered, working, skipped, failed, retried, removed } = tally;
  const words = [
    [delivered, "delivered"],
    [working, "not ready yet"],
    [failed, "failed"],
    [skipped, "skipped"],
    [removed, "removed"],
    [retried, "tried again"],
  ] as const;
  const happened = words.filter(([number]) => number > 0);
  if (happened.length === 0) return "nothing to do";
  return happened.map(([number, word]) => `${count(number)} ${word}`).join(", ");
}

/** How high the parts of a bar are, in per cent; what happened is seen, however little. */
export function heights(pass: Pick<Tally, "delivered" | "failed">, most: number) {
  const part = (number: number) => (number === 0 ? 0 : Math.max(4, (number / most) * 96));
  const bad = part(pass.failed);
  // A pass that did nothing is a line at the foot.
  const done = part(pass.delivered) || (bad === 0 ? 2 : 0);
  return { done: Math.min(done, 100 - bad), bad };
}
