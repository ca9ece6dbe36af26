// Asks which files and folders are shared, once for all that a folder shows. A link that
// is made or taken back here is seen at once, and what others do within a minute.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type Listing, mayAnywhere } from "../../api/files";
import { sharesIn } from "../../api/shares";
import type { Bucket } from "../../api/types";
import { livePaths } from "./shared-marks";

const ANEW_MS = 60_000;
const NONE: ReadonlySet<string> = new Set();

export function useShared(bucket: Bucket, { folder, words }: Listing): ReadonlySet<string> {
  const { data, dataUpdatedAt } = useQuery({
    ...sharesIn(bucket.name, folder, words !== undefined),
    enabled: mayAnywhere(bucket, "share"),
    refetchInterval: ANEW_MS,
  });
  return useMemo(() => (data ? livePaths(data, dataUpdatedAt) : NONE), [data, dataUpdatedAt]);
}
