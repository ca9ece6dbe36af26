// A bundle as it is made: its sources folded from the log (replayed from the
// first line, so that a reload misses nothing), its rate, its operation.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { bundleQuery, mergeIntoBundle } from "../../api/bundles";
import { isActive } from "../../api/feed";
import type { Operation } from "../../api/types";
import { useLiveOperation } from "../../api/use-live";
import { RateMeter } from "../../format/rate";
import { sourcesOf } from "./sent-lists";
import { SourceRows } from "./source-rows";

// Lines come in bursts; the page is drawn at most this often.
const DRAW_MS = 120;

export interface BundleLive {
  rows: SourceRows;
  /** Grows with every change of `rows`, which is the same object throughout. */
  version: number;
  /** Bytes, for the rate. */
  meter: RateMeter;
  /** Sources that ended, for the time left: their sizes are not known beforehand. */
  fileMeter: RateMeter;
  /** The whole log has been read: nothing more will change. */
  complete: boolean;
  /** Lines that are gone for good, so that some rows may stay unknown. */
  lost: number;
}

export function useBundleLive(id: string) {
  const query = useQuery(bundleQuery(id));
  const { data: bundle, refetch } = query;
  const size = bundle?.sources;
  const known = size !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new bundle starts with new rows
  const meter = useMemo(() => new RateMeter(), [id]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new bundle starts with new rows
  const fileMeter = useMemo(() => new RateMeter(), [id]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the size is that of the first answer
  const rows = useMemo(() => new SourceRows(size ?? 0, sourcesOf(id)), [id, known]);
  const [version, setVersion] = useState(0);
  const [complete, setComplete] = useState(false);
  const [lost, setLost] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const draw = () => {
    timer.current ??= setTimeout(() => {
      timer.current = null;
      setVersion((before) => before + 1);
    }, DRAW_MS);
  };
  useEffect(
    () => () => {
      if (timer.current) clearTimeout(timer.current);
      timer.current = null;
    },
    [],
  );
  useLiveOperation(known ? id : null, 1, {
    onOperation: (operation) => {
      meter.add(movedBytes(operation), Date.now());
      fileMeter.add(operation.progress?.done ?? 0, Date.now());
      rows.moving(operation.progress?.transfers ?? []);
      draw();
      mergeIntoBundle(operation);
      if (!isActive(operation)) void refetch();
    },
    onLog: (lines) => {
      if (rows.fold(lines)) draw();
    },
    onGap: (from, to) => setLost((before) => before + to - from + 1),
    onLogEnd: () => {
      setComplete(true);
      draw();
    },
    onReset: () => void refetch(),
  });
  const live: BundleLive = { rows, version, meter, fileMeter, complete, lost };
  return { query, bundle, live };
}

/** Bytes that came so far, as the operation counts them. */
export function movedBytes({ progress }: Pick<Operation, "progress">): number {
  return progress?.bytes ?? (progress?.unit === "bytes" ? progress.done : 0);
}
