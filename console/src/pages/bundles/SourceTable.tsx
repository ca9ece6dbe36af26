// A row for every source, up to 100,000: only those in sight are on the page.
import { Button, Group, SegmentedControl, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import { retrySources } from "../../api/bundles";
import type { Bundle } from "../../api/types";
import { ErrorPanel } from "../../components/ErrorPanel";
import { count, counted } from "../../format/numbers";
import { SourceLine } from "./SourceLine";
import classes from "./SourceTable.module.css";
import type { Shown } from "./source-rows";
import type { BundleLive } from "./use-bundle-live";

const route = getRouteApi("/frame/bundles/$id");
const ROW = 50;
const SHOWN: readonly Shown[] = ["all", "queued", "fetching", "done", "failed"];
const WORDS = {
  all: "All",
  queued: "Queued",
  fetching: "Fetching",
  done: "Done",
  failed: "Failed",
};

export function SourceTable({ bundle, live }: { bundle: Bundle; live: BundleLive }) {
  const { rows, version } = live;
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
    estimateSize: () => ROW,
    overscan: 8,
  });
  const mayRetry = bundle.actions.includes("retry_failed");
  return (
    <section aria-label="Sources">
      <Group justify="space-between" mb="xs" gap="sm">
        <div className={classes.filter}>
          <SegmentedControl
            size="xs"
            aria-label="Which sources are shown"
            value={shown}
            data={SHOWN.map((state) => ({
              value: state,
              label: `${WORDS[state]} ${count(state === "all" ? counts.total : counts[state])}`,
            }))}
            onChange={(state) =>
              navigate({ search: state === "all" ? {} : { show: state }, replace: true })
            }
          />
        </div>
        {mayRetry && counts.failed > 0 && (
          <Button
            size="xs"
            variant="default"
            disabled={retrying.isPending}
            onClick={() => retrying.mutate(null)}
          >
            {retrying.isPending
              ? "Queuing the retry…"
              : `Retry ${counted(counts.failed, "failed file")}`}
          </Button>
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
      <div ref={frame} className={`card ${classes.frame}`} tabIndex={0}>
        <div
          role="table"
          aria-label="Sources"
          aria-rowcount={indexes ? indexes.length : counts.total}
          className={classes.body}
          style={{ height: virtual.getTotalSize() }}
        >
          {virtual.getVirtualItems().map((item) => {
            const row = rows.row(indexes ? (indexes[item.index] ?? 0) : item.index);
            return (
              <SourceLine
                key={row.index}
                row={row}
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
            No source is {WORDS[shown].toLowerCase()}.
          </Text>
        )}
      </div>
    </section>
  );
}
