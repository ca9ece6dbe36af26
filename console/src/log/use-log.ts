// Keeps one operation's log at hand: the live end by the socket, the past by
// request. Everything after `tail` lines before the end comes by itself.
import { useMemo, useSyncExternalStore } from "react";
import { api, take } from "../api/client";
import type { LiveLine } from "../api/live";
import { mergeOperation } from "../api/operations";
import type { LogLine, Operation } from "../api/types";
import { useLiveOperation } from "../api/use-live";
import { type FetchedLines, LogStore } from "./log-store";

const TAIL = 2_000;

export function useLog(operation: Operation) {
  const { id } = operation;
  // Only where the log stood when it was opened matters; later lines come live.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  const [store, from] = useMemo(() => {
    const last = operation.last_seq;
    const log = new LogStore((start, limit) => readLines(id, start, limit), last);
    return [log, Math.max(1, last - TAIL + 1)] as const;
  }, [id]);
  useLiveOperation(id, from, {
    onOperation: mergeOperation,
    onLog: (lines) => store.push(lines),
    onGap: (start, end, reason) => store.gap(start, end, reason),
    onLogEnd: (last) => store.end(last),
  });
  const version = useSyncExternalStore(store.onChange, store.version);
  return { store, version };
}

async function readLines(id: string, from: number, limit: number): Promise<FetchedLines> {
  const lines: LiveLine[] = [];
  for (let at = from; ; ) {
    const query = { from: at, limit: limit - lines.length };
    const page = await take(
      api.GET("/api/v1/operations/{id}/log", { params: { path: { id }, query } }),
    );
    lines.push(...page.lines.map(liveLine));
    // A page of long lines is short, and says where it goes on.
    if (page.next == null || lines.length >= limit) {
      return { lines, firstSeq: page.first_seq, lastSeq: page.last_seq, ended: page.ended };
    }
    at = page.next;
  }
}

function liveLine({ seq, time, stream, text, data }: LogLine): LiveLine {
  return { seq, time: Date.parse(time) * 1000, stream, text, data };
}
