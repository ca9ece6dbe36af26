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
  /** The rule is being changed. */
  edit?: true;
  state?: DeliveryState;
  target?: string;
  type?: string;
  q?: string;
}

/** Which files are shown. */
export type FilesShown = Omit<SyncSearch, "tab" | "edit">;

/** Reads the address's search part; whatever it holds, the result is usable. */
export function readSyncSearch(search: Record<string, unknown>): SyncSearch {
  const shown: SyncSearch = {};
  if (search.tab === "passes" || search.tab === "rule") shown.tab = search.tab;
  if (shown.tab === "rule" && search.edit === true) shown.edit = true;
  const state = DELIVERY_STATES.find((known) => known === search.state);
  if (state) shown.state = state;
  for (const name of ["target", "type", "q"] as const) {
    const value = search[name];
    if (typeof value === "string" && value.trim() !== "") shown[name] = value;
    else if (typeof value === "number") shown[name] = String(value);
  }
  return shown;
}

/** Reads the address of a new sync: which one it is to be like. */
export function readNewSyncSearch(search: Record<string, unknown>): { like?: string } {
  const { like } = search;
  if (typeof like === "number") return { like: String(like) };
  return typeof like === "string" && like !== "" ? { like } : {};
}
