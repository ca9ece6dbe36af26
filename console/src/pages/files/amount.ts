// How much chosen files and folders are. What is in a folder the server counts.
import type { SumBelow } from "../../api/types";
import { bytes, count, counted } from "../../format/numbers";
import type { Row } from "./rows";

export interface Amount {
  files: number;
  bytes: number;
  /** Whether it is more than that: nobody counted further. */
  more: boolean;
}

/** What the server says of one folder, as far as it has. */
export interface Counted {
  data: SumBelow | undefined;
  error: unknown;
}

/** "counting" until all is known, and an error where it will not be. */
export type Known = Amount | "counting" | { error: unknown };

/** So many folders are counted; of more, it is told that there is more. */
export const MOST_FOLDERS = 20;

/** The folders of the rows that are counted. */
export function foldersIn(rows: readonly Row[]): string[] {
  return rows.flatMap(({ kind, path }) => (kind === "folder" ? [path] : []));
}

/** The rows' own files, and what was counted in their folders. */
export function amountOf(rows: readonly Row[], folders: readonly Counted[]): Known {
  const amount: Amount = { files: 0, bytes: 0, more: foldersIn(rows).length > folders.length };
  for (const row of rows) {
    if (row.kind !== "file") continue;
    amount.files += 1;
    amount.bytes += row.file.size;
  }
  for (const { data, error } of folders) {
    if (error) return { error };
    if (!data) return "counting";
    amount.files += data.files;
    amount.bytes += data.bytes;
    amount.more ||= data.more;
  }
  return amount;
}

/** "3 files, 1.20 KiB". */
export function amountWords(amount: Amount): string {
  if (amount.more) {
    return `more than ${count(amount.files)} files and ${bytes(amount.bytes)}`;
  }
  return `${counted(amount.files, "file")}, ${bytes(amount.bytes)}`;
}

/** The same in few words, also before and without it. */
export function knownWords(known: Known): string {
  if (known === "counting") return "counting…";
  return "error" in known ? "size not known" : amountWords(known);
}
