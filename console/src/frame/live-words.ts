// The connection's state in words.
import type { LiveStatus } from "../api/live";

export function statusWord(status: LiveStatus): string {
  switch (status.phase) {
    case "open":
      return "Live";
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

/** The page reaches the server, yet the socket never opened: a proxy is in between. */
export function seemsBlocked(status: LiveStatus): boolean {
  return status.phase === "waiting" && !status.everOpen && status.failures >= 3;
}
