// Earlier bundles, the newest first; running ones keep themselves up to date.
import { Button, Text } from "@mantine/core";
import { IconPackage } from "@tabler/icons-react";
import { type InfiniteData, useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { bundlePages } from "../../api/bundles";
import { isActive } from "../../api/feed";
import { queryClient } from "../../api/query-client";
import type { Bundle, Operation } from "../../api/types";
import { useOperationChanges } from "../../api/use-live";
import { EmptyState } from "../../components/EmptyState";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ProgressBar } from "../../components/ProgressBar";
import { StateBadge } from "../../components/StateBadge";
import { Ago, Until } from "../../components/Times";
import { Waiting } from "../../components/Waiting";
import { bytes, count, counted, percent } from "../../format/numbers";
import classes from "./BundleList.module.css";

const COMMAND = "longshore bundle list.txt -o files.zip";

export function BundleList() {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useInfiniteQuery(bundlePages);
  useOperationChanges(merge, () => void refetch());
  if (isPending) return <Waiting what="Reading earlier bundles…" />;
  if (error && !data) {
    return <ErrorPanel title="Earlier bundles could not be read" error={error} onRetry={refetch} />;
  }
  const bundles = data.pages.flatMap((page) => page.items);
  if (bundles.length === 0 && !hasNextPage) {
    return (
      <div className="card">
        <EmptyState
          icon={<IconPackage size={34} stroke={1.4} aria-hidden />}
          sentence="No bundle has been made yet. Paste addresses above, or hand a list to the command line."
          command={COMMAND}
        />
      </div>
    );
  }
  return (
    <>
      <div className={`card ${classes.table}`} role="table" aria-label="Earlier bundles">
        <div role="rowgroup" className={classes.head}>
          <div role="row" className={classes.row}>
            <span role="columnheader">State</span>
            <span role="columnheader">Name</span>
            <span role="columnheader" className={classes.right}>
              Files
            </span>
            <span role="columnheader" className={classes.right}>
              Size
            </span>
            <span role="columnheader">Made</span>
            <span role="columnheader">Expires</span>
          </div>
        </div>
        <div role="rowgroup">
          {bundles.map((bundle) => (
            <BundleRow key={bundle.id} bundle={bundle} />
          ))}
        </div>
      </div>
      {hasNextPage && (
        <Button
          mt="sm"
          variant="default"
          disabled={isFetchingNextPage}
          onClick={() => fetchNextPage()}
        >
          {isFetchingNextPage ? "Reading older bundles…" : "Show older bundles"}
        </Button>
      )}
    </>
  );
}

function BundleRow({ bundle }: { bundle: Bundle }) {
  const progress = bundle.operation?.progress;
  const settled = bundle.done + bundle.failed;
  return (
    <div role="row" className={`${classes.row} ${classes.entry}`}>
      <span role="cell">
        <StateBadge state={bundle.state} />
      </span>
      <span role="cell" className={classes.name}>
        <Link className={classes.link} to="/bundles/$id" params={{ id: bundle.id }}>
          {bundle.name}
        </Link>
        {bundle.state === "running" && (
          <ProgressBar
            size={4}
            active
            percent={
              progress ? percent(progress.done, progress.total) : percent(settled, bundle.sources)
            }
            label={`Progress of ${bundle.name}`}
          />
        )}
      </span>
      <span role="cell" className={`${classes.right} figures`}>
        {bundle.failed > 0
          ? `${count(bundle.done)} of ${counted(bundle.sources, "file")}`
          : counted(bundle.sources, "file")}
      </span>
      <span role="cell" className={`${classes.right} figures`}>
        {bundle.size !== null && bundle.size !== undefined ? bytes(bundle.size) : "–"}
      </span>
      <span role="cell">
        <Ago time={bundle.created_at} />
      </span>
      <span role="cell" className={classes.expiry}>
        {bundle.expires_at ? (
          <Until time={bundle.expires_at} />
        ) : (
          <Text span c="dimmed">
            –
          </Text>
        )}
      </span>
    </div>
  );
}

// Cells change in place; a bundle that ended is read anew for its size.
function merge(operation: Operation): void {
  const known = queryClient.getQueryData<InfiniteData<{ items: Bundle[] }>>(bundlePages.queryKey);
  const bundle = known?.pages.flatMap((page) => page.items).find(({ id }) => id === operation.id);
  if (!bundle || (bundle.operation?.changed ?? 0) >= operation.changed) return;
  if (!isActive(operation)) {
    void queryClient.invalidateQueries({ queryKey: bundlePages.queryKey });
    return;
  }
  queryClient.setQueryData(
    bundlePages.queryKey,
    (pages) =>
      pages && {
        ...pages,
        pages: pages.pages.map((page) => ({
          ...page,
          items: page.items.map((item) =>
            item.id === operation.id ? { ...item, state: operation.state, operation } : item,
          ),
        })),
      },
  );
}
