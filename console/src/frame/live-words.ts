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

/** Whole seconds until the next attempt. */
export function secondsUntil(retryAt: number, now: number): number {
  return Math.max(0, Math.ceil((retryAt - now) / 1000));
}
