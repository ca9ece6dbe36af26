// The four words of a bundle's life: Ready, Fetching, Zipping, Done. And its figures.
import { isActive } from "../../api/feed";
import type { Bundle } from "../../api/types";
import { percent } from "../../format/numbers";
import type { SourceCounts } from "./source-rows";

export const STAGES = ["Ready", "Fetching", "Zipping", "Done"] as const;
export type Stage = (typeof STAGES)[number];

/** The stage that it is in, or that it had reached when it ended. */
export function stageOf({ state, operation }: Pick<Bundle, "state" | "operation">): Stage {
  if (state === "succeeded") return "Done";
  if (state === "queued" || !operation?.started_at) return "Ready";
  return operation.progress?.message === "Zipping" ? "Zipping" : "Fetching";
}

/** One sentence about how it ended. */
export function endSentence({ state, failed }: Pick<Bundle, "state" | "failed">): string {
  switch (state) {
    case "succeeded":
      return failed > 0 ? "Done, with a report of what is missing" : "Done";
    case "failed":
      return "Failed";
    case "cancelled":
      return "Cancelled; nothing was kept";
    case "interrupted":
      return "Interrupted by a stop of the server";
    default:
      return "";
  }
}

/** From 0 to 100, or null when that is not known. What ended early stays where it was. */
export function shareOf(bundle: Bundle, counts: SourceCounts): number | null {
  if (bundle.state === "succeeded") return 100;
  if (bundle.state === "queued") return 0;
  const progress = bundle.operation?.progress;
  const share = progress ? percent(progress.done, progress.total) : null;
  return share ?? (isActive(bundle) ? null : percent(counts.done + counts.failed, counts.total));
}

export interface Figures {
  done: number;
  failed: number;
  bytes: number;
}

/**
 * The counts as the bundle itself has them, which outlives its log; what it does not
 * tell before it is made, comes from the log, and that may not be read yet (`whole`).
 */
export function figuresOf(bundle: Bundle, counts: SourceCounts, whole: boolean): Figures {
  if (bundle.state === "succeeded") {
    return { done: bundle.done, failed: bundle.failed, bytes: bundle.bytes };
  }
  const progress = bundle.operation?.progress;
  const failed = Math.max(bundle.failed, counts.failed);
  // The operation counts the failed among those that are through.
  const through = (progress?.done ?? 0) - failed;
  return {
    done: whole ? counts.done : Math.max(counts.done, through),
    failed,
    bytes: Math.max(movedBytes(bundle), counts.bytes, bundle.bytes),
  };
}

/** Bytes that came so far, as the operation counts them. */
export function movedBytes({ operation }: Pick<Bundle, "operation">): number {
  const progress = operation?.progress;
  return progress?.bytes ?? (progress?.unit === "bytes" ? progress.done : 0);
}

/** Its zip was kept for a time that is over. */
export function hasExpired(bundle: Pick<Bundle, "state" | "expires_at">, now: number): boolean {
  const { state, expires_at: end } = bundle;
  return state === "succeeded" && end !== null && end !== undefined && Date.parse(end) <= now;
}
