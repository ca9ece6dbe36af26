// An operation's progress in words.
import type { Progress } from "../api/types";
import { amount, bytes, bytesPerSecond } from "./numbers";
import { aboutLeft } from "./times";

export function progressWords(progress: Progress): string {
  const measured = measure(progress);
  return progress.message ? `${measured}, ${progress.message}` : measured;
}

/** The same with how fast it goes and how long it still takes, as far as that is known. */
export function paceWords(progress: Progress): string {
  const { bytes_per_second: rate, seconds_left: left } = progress;
  const words = [progressWords(progress)];
  if (typeof rate === "number") words.push(bytesPerSecond(rate));
  if (typeof left === "number") words.push(aboutLeft(left * 1000));
  return words.join(", ");
}

function measure({ done, total, total_grows, unit }: Progress): string {
  if (total === null || total === undefined) return amount(done, unit);
  if (unit === "bytes") return `${bytes(done)} of ${bytes(total)}`;
  return `${amount(done, "")} of ${total_grows ? "at least " : ""}${amount(total, unit)}`;
}
