// The four words of a bundle's life: Ready, Fetching, Zipping, Done.
import type { Bundle } from "../../api/types";
import type { SourceCounts } from "./source-rows";

export const STAGES = ["Ready", "Fetching", "Zipping", "Done"] as const;
export type Stage = (typeof STAGES)[number];

export function stageOf(bundle: Pick<Bundle, "state">, counts: SourceCounts): Stage {
  if (bundle.state === "queued") return "Ready";
  if (bundle.state !== "running") return "Done";
  const open = counts.queued + counts.fetching;
  return counts.total > 0 && open === 0 ? "Zipping" : "Fetching";
}

/** One sentence about where it stands, for the line under the bar. */
export function stageSentence(bundle: Bundle, counts: SourceCounts): string {
  switch (bundle.state) {
    case "queued":
      return "Waiting for its turn";
    case "running":
      return stageOf(bundle, counts) === "Zipping" ? "Finishing the zip" : "Fetching";
    case "succeeded":
      return bundle.failed > 0 ? "Done, with a report of what is missing" : "Done";
    case "failed":
      return "Failed";
    case "cancelled":
      return "Cancelled; nothing was kept";
    case "interrupted":
      return "Interrupted by a stop of the server";
  }
}
