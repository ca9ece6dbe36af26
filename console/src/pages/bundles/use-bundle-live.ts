// A bundle as it is made: its sources folded from the log (replayed from the
// first line, so that a reload misses nothing), its rate, its operation.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { bundleQuery, mergeIntoBundle, readSources } from "../../api/bundles";
import { isActive } from "../../api/feed";
import { useLiveOperation } from "../../api/use-live";
import { RateMeter } from "../../format/rate";
import { SourceNames } from "./source-names";
import { SourceRows } from "./source-rows";
import { movedBytes } from "./stage";

// Lines come in bursts; the page is drawn at most this often.
const DRAW_MS = 120;
// A log that is followed live may be so many lines behind its newest.
const BEHIND = 500;

export interface BundleLive {
  rows: SourceRows;
  names: SourceNames;
  /** Grows with every change of `rows` and `names`, which are the same objects throughout. */
  version: number;
  /** Bytes, for the rate. */
  meter: RateMeter;
  /** Sources that ended, for the time left: their sizes are not known beforehand. */
  fileMeter: RateMeter;
  /** The log is being read, and what stands further down in it is not known yet. */
  replaying: boolean;
  /** The last line that was read. */
  read: number;
  /** Lines that are gone for good, so that some rows may stay unknown. */
  lost: number;
  /** There is no log at all any more. */
  gone: boolean;
}

class Following {
  readonly rows: SourceRows;
  readonly names: SourceNames;
  readonly meter = new RateMeter();
  readonly fileMeter = new RateMeter();
  read = 0;
  lost = 0;
  complete = false;
  gone = false;

  constructor(id: string, size: number, changed: () => void) {
    this.rows = new SourceRows(size);
    this.names = new SourceNames((from, limit) => readSources(id, from, limit), changed);
  }
}

export function useBundleLive(id: string) {
  const query = useQuery(bundleQuery(id));
  const { data: bundle, refetch } = query;
  const size = bundle?.sources;
  const known = size !== undefined;
  const [version, setVersion] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const draw = () => {
    timer.current ??= setTimeout(() => {
      timer.current = null;
      setVersion((before) => before + 1);
    }, DRAW_MS);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the size is that of the first answer
  const seen = useMemo(() => new Following(id, size ?? 0, draw), [id, known]);
  useEffect(
    () => () => {
      if (timer.current) clearTimeout(timer.current);
      timer.current = null;
    },
    [],
  );
  useLiveOperation(known ? id : null, 1, {
    onOperation: (operation) => {
      const active = isActive(operation);
      seen.meter.add(movedBytes({ operation }), Date.now());
      seen.fileMeter.add(operation.progress?.done ?? 0, Date.now());
      seen.rows.moving(active ? (operation.progress?.transfers ?? []) : null);
      draw();
      mergeIntoBundle(operation);
      if (!active) void refetch();
    },
    onLog: (lines) => {
      seen.read = lines.at(-1)?.seq ?? seen.read;
      seen.rows.fold(lines);
      draw();
    },
    onGap: (from, to) => {
      seen.read = to;
      seen.lost += to - from + 1;
      draw();
    },
    onLogEnd: () => {
      seen.complete = true;
      draw();
    },
    onReset: () => void refetch(),
    onError: () => {
      seen.gone = true;
      draw();
    },
  });
  const newest = bundle?.operation?.last_seq ?? 0;
  const behind = bundle && isActive(bundle) ? newest - BEHIND : newest;
  const { rows, names, meter, fileMeter, read, lost, complete } = seen;
  const gone = seen.gone || (known && !bundle?.operation);
  const live: BundleLive = {
    rows,
    names,
    version,
    meter,
    fileMeter,
    read,
    lost,
    gone,
    replaying: !complete && !gone && read < behind,
  };
  return { query, bundle, live };
}
