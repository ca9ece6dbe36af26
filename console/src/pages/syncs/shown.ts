// What of a sync is shown, in its page's address.
import type { DeliveryState } from "../../api/types";

/** The states of a delivery, in the order of its way. */
export const DELIVERY_STATES = [
  "pending",
  "intended",
  "created",
  "uploaded",
  "working",
  "again",
  "verified",
  "marked",
  "skipped",
  "failed",
  "removed",
] as const satisfies readonly DeliveryState[];

export interface SyncSearch {
  tab?: "passes" | "rule";
  state?: DeliveryState;
  target?: string;
  q?: string;
}

/** Reads the address's search part; whatever it holds, the result is usable. */
export function readSyncSearch(search: Record<string, unknown>): SyncSearch {
  const shown: SyncSearch = {};
  if (search.tab === "passes" || search.tab === "rule") shown.tab = search.tab;
  const state = DELIVERY_STATES.find((known) => known === search.state);
  if (state) shown.state = state;
  for (const name of ["target", "q"] as const) {
    const value = search[name];
    if (typeof value === "string" && value.trim() !== "") shown[name] = value;
    else if (typeof value === "number") shown[name] = String(value);
  }
  return shown;
}
