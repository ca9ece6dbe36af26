// A row for every source, up to 100,000: only those in sight are on the page.
import { Group, SegmentedControl, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import { retrySources } from "../../api/bundles";
import { isActive } from "../../api/feed";
import type { Bundle } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { useNarrow } from "../../components/use-narrow";
import { count, counted } from "../../format/numbers";
import { SourceLine, type Unended } from "./SourceLine";
import classes from "./SourceTable.module.css";
import type { Shown, SourceRow } from "./source-rows";
import type { BundleLive } from "./use-bundle-live";

const route = getRouteApi("/frame/bundles/$id");
const ROW = 50;
const NARROW_ROW = 92;
const SHOWN: readonly Shown[] = ["all", "queued", "fetching", "done", "failed"];
const WORDS = {
  all: "All",
  queued: "Queued",
  fetching: "Fetching",
  done: "Done",
  failed: "Failed",
};

export function SourceTable({ bundle, live }: { bundle: Bundle; live: BundleLive }) {
  const { rows, names, version } = live;
  const narrow = useNarrow();
  const unended = unendedOf(bundle, live);
  const counts = rows.counts();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const shown = SHOWN.find((state) => state === search.show) ?? "all";
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows change in place, version tells
  const indexes = useMemo(() => rows.indexes(shown), [rows, version, shown]);
  const retrying = useMutation({
    mutationFn: (sources: number[] | null) => retrySources(bundle.id, sources),
  });
  const frame = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: indexes ? indexes.length : counts.total,
    getScrollElement: () => frame.current,
    estimateSize: () => (narrow ? NARROW_ROW : ROW),
    overscan: 8,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows of another height
  useEffect(() => virtual.measure(), [narrow]);
  const items = virtual.getVirtualItems();
  const rowAt = (place: number): SourceRow => {
    const row = rows.row(indexes ? (indexes[place] ?? 0) : place);
    const asked = names.at(row.index);
    return { ...row, url: row.url ?? asked?.url ?? null, path: row.path ?? asked?.path ?? null };
  };
  useEffect(() => {
    for (const { index } of items) {
      const row = rows.row(indexes ? (indexes[index] ?? 0) : index);
      if (row.url === null) names.want(row.index);
    }
  });
  const words = { ...WORDS, queued: unended === "open" ? WORDS.queued : wordOf(unended) };
  // What has ended has nothing underway, and mostly nothing left over.
  const offered = SHOWN.filter(
    (state) =>
      state === "all" ||
      state === shown ||
      state === "done" ||
      state === "failed" ||
      unended === "open" ||
      counts[state] > 0,
  );
  const mayRetry = bundle.actions.includes("retry_failed");
  return (
    <section aria-label="Sources">
      <Group justify="space-between" mb="xs" gap="sm">
        <div className={classes.filter}>
          <SegmentedControl
            size="xs"
            aria-label="Which sources are shown"
            value={shown}
            data={offered.map((state) => ({
              value: state,
              label: (
                <>
                  {`${words[state]} `}
                  <span className={`${classes.many} figures`}>
                    {count(state === "all" ? counts.total : counts[state])}
                  </span>
                </>
              ),
            }))}
            onChange={(state) =>
              navigate({
                search: state === "all" ? {} : { show: state },
                replace: true,
                resetScroll: false,
              })
            }
          />
        </div>
        {mayRetry && counts.failed > 0 && (
          <ActButton
            size="xs"
            variant="default"
            busy={retrying.isPending}
            onClick={() => retrying.mutate(null)}
          >
            {retrying.isPending
              ? "Queuing the retry…"
              : `Retry ${counted(counts.failed, "failed file")}`}
          </ActButton>
        )}
      </Group>
      {retrying.data && (
        <div className={`card ${classes.started}`} role="status">
          <Text size="sm">
            Queued as a bundle of its own, with {counted(retrying.data.sources, "file")}:
          </Text>
          <Link to="/bundles/$id" params={{ id: retrying.data.id }}>
            {retrying.data.name}
          </Link>
        </div>
      )}
      {retrying.error && (
        <ErrorPanel
          title="The retry was not started"
          error={retrying.error}
          onDismiss={retrying.reset}
        />
      )}
      {names.error !== null && (
        <ErrorPanel
          title="The addresses could not be read"
          error={names.error}
          onRetry={() => names.retry()}
        />
      )}
      <div ref={frame} className={`card ${classes.frame}`} tabIndex={0}>
        <div
          role="table"
          aria-label="Sources"
          aria-rowcount={indexes ? indexes.length : counts.total}
          className={classes.body}
          style={{ height: virtual.getTotalSize() }}
        >
          {items.map((item) => {
            const row = rowAt(item.index);
            return (
              <SourceLine
                key={row.index}
                row={row}
                unended={unended}
                position={item.index + 1}
                top={item.start}
                onRetry={mayRetry && row.state === "failed" ? retrying.mutate : undefined}
                retrying={retrying.isPending}
              />
            );
          })}
        </div>
        {indexes?.length === 0 && (
          <Text size="sm" c="dimmed" p="md">
            No source is {words[shown].toLowerCase()}.
          </Text>
        )}
      </div>
    </section>
  );
}

// What never ended was not fetched, unless the log that would tell is gone in part.
function unendedOf(bundle: Bundle, live: BundleLive): Unended {
  if (isActive(bundle) || live.replaying) return "open";
  return live.gone || live.lost > 0 ? "not known" : "not fetched";
}

function wordOf(unended: Unended): string {
  return unended === "not known" ? "Not known" : "Not fetched";
}
