// Asks how much is in chosen folders, each of them once for as long as it is chosen.
import { useQueries } from "@tanstack/react-query";
import { sumBelow } from "../../api/files";
import { amountOf, foldersIn, type Known, MOST_FOLDERS } from "./amount";
import type { Row } from "./rows";

export function useAmount(bucket: string, rows: readonly Row[]): Known {
  const folders = foldersIn(rows).slice(0, MOST_FOLDERS);
  const counted = useQueries({ queries: folders.map((path) => sumBelow(bucket, path)) });
  return amountOf(rows, counted);
}
