// An operation's progress in words.
import type { Progress } from "../api/types";
import { amount, bytes } from "./numbers";

export function progressWords({ done, total, unit, message }: Progress): string {
  const measured = measure(done, total ?? null, unit);
  return message ? `${measured}, ${message}` : measured;
}

function measure(done: number, total: number | null, unit: string): string {
  if (total === null) return amount(done, unit);
  if (unit === "bytes") return `${bytes(done)} of ${bytes(total)}`;
  return `${amount(done, "")} of ${amount(total, unit)}`;
}
