// How many files of the source the targets of a rule get, as its form stands now.
import { useDebouncedValue } from "@mantine/hooks";
import { skipToken, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { filesBelow } from "../../api/files";
import { TYPING_PAUSE_MS } from "../../frame/typing";
import { type FileSeen, type FilesSeen, type Matches, matchesOf } from "./matches";
import { type SyncValues, toRule } from "./rule-values";

/** So many files are looked at, five pages of them: more would cost more than they tell. */
const MOST_SEEN = 1000;

export type Counting = "nothing" | "reading" | "failed" | "by a dry run" | Matches;

export function useMatches(values: SyncValues): Counting {
  const { kind, bucket, prefix } = values.source;
  const [below] = useDebouncedValue(prefix.trim(), TYPING_PAUSE_MS);
  const inBucket = kind === "bucket" && bucket !== null;
  const { data, error } = useQuery({
    queryKey: ["files of a rule", bucket, below],
    queryFn: inBucket ? ({ signal }) => filesOf(bucket, below, signal) : skipToken,
    staleTime: 30_000,
    retry: false,
  });
  const conditions = JSON.stringify(toRule(values).targets.map(({ when }) => when));
  const matches = useMemo(
    () => data && matchesOf(data, JSON.parse(conditions)),
    [data, conditions],
  );
  if (kind !== "bucket") return "by a dry run";
  if (bucket === null) return "nothing";
  if (matches) return matches;
  return error ? "failed" : "reading";
}

async function filesOf(bucket: string, prefix: string, signal: AbortSignal): Promise<FilesSeen> {
  const files: FileSeen[] = [];
  for await (const page of filesBelow(bucket, prefix, signal)) {
    // The marker of a folder is no file.
    files.push(...page.filter(({ path }) => !path.endsWith("/")));
    if (files.length > MOST_SEEN) return { files: files.slice(0, MOST_SEEN), more: true };
  }
  return { files, more: false };
}
