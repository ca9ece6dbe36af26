// Which schedules compare a bucket with its store, and what another one is called.
import type { Schedule } from "../../api/types";

export function compares({ kind, input }: Pick<Schedule, "kind" | "input">, bucket: string) {
  return kind === "reconcile" && (input as { bucket?: unknown }).bucket === bucket;
}

// A name of a schedule has at most 64 characters, as many as that of a bucket.
const LONGEST = 64;

/** A name that none has yet. */
export function freeName(bucket: string, known: ReadonlyArray<Pick<Schedule, "name">>): string {
  const taken = new Set(known.map(({ name }) => name));
  const plain = `compare-${bucket}`.slice(0, LONGEST);
  for (let number = 2, name = plain; ; number += 1) {
    if (!taken.has(name)) return name;
    const end = `-${number}`;
    name = `${plain.slice(0, LONGEST - end.length)}${end}`;
  }
}
