// The connection's state in words.
import type { LiveStatus } from "../api/live";

export function statusWord(status: LiveStatus): string {
  switch (status.phase) {
    case "open":
      return status.polling ? "Polling" : "Live";
    case "waiting":
      return "Offline";
    default:
      return "Connecting";
  }
}

/** Why there is no live connection, as far as the server knows: what did not reach it. */
export function whyPolling(missing: readonly string[]): string {
  if (missing.length === 0) return "No WebSocket could be opened";
  const headers = missing.length === 1 ? "the header" : "the headers";
  return `A proxy drops ${headers} ${missing.map((name, at) => joint(at, missing) + name).join("")}`;
}

/** What stands before the one at `at` where all are named in a sentence. */
export function joint(at: number, all: readonly string[]): string {
  if (at === 0) return "";
  return at === all.length - 1 ? " and " : ", ";
}

/** Whole seconds until the next attempt. */
export function secondsUntil(retryAt: number, now: number): number {
  return Math.max(0, Math.ceil((retryAt - now) / 1000));
}
