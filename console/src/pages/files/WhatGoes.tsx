// How much goes with folders, as a dialog says it before they go.
import { asProblem } from "../../api/problem";
import { amountWords } from "./amount";
import type { Row } from "./rows";
import { useAmount } from "./use-amount";

export function WhatGoes({ bucket, rows }: { bucket: string; rows: readonly Row[] }) {
  const known = useAmount(bucket, rows);
  if (known === "counting") {
    return "Everything in it goes, deeper folders included. Counting how much that is…";
  }
  if ("error" in known) {
    return `Everything in it goes, deeper folders included. How much that is could not be counted: ${asProblem(known.error).message}`;
  }
  return `Everything in it goes, deeper folders included: ${amountWords(known)}.`;
}
