// How fast a bundle comes and when it will be there, in words that are true.
import type { LiveStatus } from "../../api/live";
import type { Bundle } from "../../api/types";
import { bytesPerSecond } from "../../format/numbers";
import { aboutLeft, span } from "../../format/times";
import { stageOf } from "./stage";

export interface Pace {
  /** Bytes a second, or null when it is too early to say. */
  rate: number | null;
  /** Milliseconds until all sources are through, or null. */
  left: number | null;
  /** Milliseconds without a byte, once they are many. */
  stalled: number | null;
}

export function paceWords(
  bundle: Pick<Bundle, "state" | "operation" | "kept">,
  connection: LiveStatus["phase"],
  { rate, left, stalled }: Pace,
): { rate: string; left: string } {
  if (bundle.state === "queued") return { rate: "–", left: "waiting for its turn" };
  if (connection !== "open") {
    return { rate: "not known", left: "not known: this page has lost its connection" };
  }
  if (stageOf(bundle) === "Zipping") return { rate: "–", left: "finishing the zip" };
  const speed = rate === null ? "measuring" : bytesPerSecond(rate);
  if (stalled === null)
    return { rate: speed, left: left === null ? "not known yet" : aboutLeft(left) };
  const slow = bundle.kept ? "the origins are slow" : "the origins or who takes the zip are slow";
  return { rate: speed, left: `no bytes for ${span(stalled)}: ${slow}` };
}
