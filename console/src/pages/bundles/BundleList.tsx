// Earlier bundles, the newest first; running ones keep themselves up to date.
import { Button, Text } from "@mantine/core";
import { IconArrowUp, IconPackage } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMay } from "../../api/session";
import type { Bundle } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { EmptyState } from "../../components/EmptyState";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ProgressBar } from "../../components/ProgressBar";
import { StateBadge } from "../../components/StateBadge";
import { Ago, Until } from "../../components/Times";
import { Waiting } from "../../components/Waiting";
import { bytes, count, counted, percent } from "../../format/numbers";
import classes from "./BundleList.module.css";
import { useBundleList } from "./use-bundle-list";

const COMMAND = "longshore bundle list.txt -o files.zip";

export function BundleList() {
  const { query, bundles, fresh, showFresh, failure, readAll } = useBundleList();
  const { data, isPending, hasNextPage, fetchNextPage, isFetchingNextPage } = query;
  const mayMake = useMay("operator");
  if (isPending) return <Waiting what="Reading earlier bundles…" />;
  if (failure && !data) {
    return (
      <ErrorPanel title="Earlier bundles could not be read" error={failure} onRetry={readAll} />
    );
  }
  if (bundles.length === 0 && !hasNextPage && fresh === 0) {
    return (
      <div className="card">
        <EmptyState
          icon={<IconPackage size={34} stroke={1.4} aria-hidden />}
          sentence={
            mayMake
              ? "No bundle has been made yet. Paste addresses above, or hand a list to the command line."
              : "No bundle has been made yet. Those that are made are listed here."
          }
          command={mayMake ? COMMAND : undefined}
        />
      </div>
    );
  }
  return (
    <>
      {failure !== null && (
        <ErrorPanel
          title="This list may be out of date: it could not be read again"
          error={failure}
          onRetry={readAll}
        />
      )}
      {fresh > 0 && (
        <Button
          mb="sm"
          size="compact-sm"
          radius="xl"
          leftSection={<IconArrowUp size={14} aria-hidden />}
          onClick={showFresh}
        >
          <span aria-live="polite">{count(fresh)} new</span>
        </Button>
      )}
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
        <ActButton
          mt="sm"
          variant="default"
          busy={isFetchingNextPage}
          onClick={() => fetchNextPage()}
        >
          {isFetchingNextPage ? "Reading older bundles…" : "Show older bundles"}
        </ActButton>
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
        {filesOf(bundle)}
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

function filesOf({ state, sources, done, failed, operation }: Bundle): string {
  const all = counted(sources, "file");
  if (state === "running") return `${count(operation?.progress?.done ?? done)} of ${all}`;
  return failed > 0 ? `${count(done)} of ${all}` : all;
}
