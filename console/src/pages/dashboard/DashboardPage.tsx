// What runs now, what ended lately, and on a fresh server what to do first.
import { SimpleGrid, Text, Title } from "@mantine/core";
import { useThrottledCallback } from "@mantine/hooks";
import { IconActivity, IconProgress } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { isActive } from "../../api/feed";
import { mergeIntoPages, operationPages } from "../../api/operations";
import { useMay } from "../../api/session";
import { useActiveOperations, useOperationChanges } from "../../api/use-live";
import { EmptyState } from "../../components/EmptyState";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ButtonLink, TextLink } from "../../components/links";
import { OperationLine } from "../../components/OperationLine";
import { Page } from "../../components/Page";
import { Waiting } from "../../components/Waiting";
import { count, countSoFar } from "../../format/numbers";
import { countActive } from "../../frame/active-words";
import classes from "./Dashboard.module.css";
import { FirstSteps } from "./FirstSteps";
import { useFailures } from "./use-failures";

const RECENT = 10;
// While so many run that none of the newest has ended, older ones are looked at.
const MOST_PAGES = 10;
const CALM_MS = 1_000;
const recentPages = operationPages({ sort: "created_at", order: "desc", limit: 50 });

export function DashboardPage() {
  const mayMake = useMay("operator");
  const { operations: active, asking: unsure, more } = useActiveOperations();
  const recent = useInfiniteQuery(recentPages);
  const { data, hasNextPage, isFetching, error, fetchNextPage, refetch } = recent;
  const reread = useThrottledCallback(() => void refetch(), CALM_MS);
  useOperationChanges((operation) => {
    const shown = mergeIntoPages(recentPages.queryKey, operation);
    if (!shown && operation.state !== "running") reread();
  }, reread);
  const failures = useFailures();
  const asking = active.length === 0 && unsure;
  const { running, queued } = countActive(active);
  const newest = data?.pages.flatMap((page) => page.items) ?? [];
  const ended = newest.filter((operation) => !isActive(operation));
  const pages = data?.pages.length ?? 0;
  const goOn = ended.length < RECENT && hasNextPage && pages < MOST_PAGES;
  useEffect(() => {
    if (goOn && !isFetching && !error) void fetchNextPage();
  }, [goOn, isFetching, error, fetchNextPage]);
  return (
    <Page title="Dashboard" actions={mayMake && <ButtonLink to="/bundles">New bundle</ButtonLink>}>
      <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="md">
        <Tile name="Running now" value={asking ? "…" : countSoFar(running, more)} state="running" />
        <Tile
          name="Waiting in line"
          value={asking ? "…" : countSoFar(queued, more)}
          state="queued"
        />
        <Tile
          name="Failed in the last day"
          value={
            failures.counted === null
              ? failures.error
                ? "not known"
                : "…"
              : countSoFar(failures.counted, failures.more)
          }
          state="failed"
          range="24h"
          alarming={failures.counted !== null && failures.counted > 0}
        />
      </SimpleGrid>
      {failures.error && (
        <ErrorPanel
          title="The failures of the last day could not be counted"
          error={failures.error}
          onRetry={failures.refetch}
        />
      )}
      <FirstSteps />
      <section aria-labelledby="running">
        <Title order={2} id="running" mb="sm">
          Running now
        </Title>
        <div className={`card ${asking ? classes.asking : ""}`}>
          {asking ? (
            <Waiting what="Asking what runs…" />
          ) : active.length === 0 ? (
            <EmptyState
              icon={<IconProgress size={30} stroke={1.4} aria-hidden />}
              sentence="Nothing runs at the moment."
              action={
                mayMake && (
                  <ButtonLink to="/bundles" variant="default">
                    Make a bundle
                  </ButtonLink>
                )
              }
            />
          ) : (
            active.slice(0, RECENT).map((each) => <OperationLine key={each.id} operation={each} />)
          )}
        </div>
      </section>
      <section aria-labelledby="recent">
        <div className={classes.head}>
          <Title order={2} id="recent">
            Recent
          </Title>
          <TextLink to="/activity" size="sm">
            All activity
          </TextLink>
        </div>
        <div className="card">
          {error && (
            <ErrorPanel
              title={
                data
                  ? "This list may be out of date: it could not be read again"
                  : "Recent operations could not be read"
              }
              error={error}
              onRetry={refetch}
            />
          )}
          {recent.isPending ? (
            <Waiting what="Reading recent operations…" />
          ) : !data ? null : ended.length === 0 && (goOn || hasNextPage) ? (
            <Text size="sm" c="dimmed" p="md">
              None of the {count(newest.length)} newest operations has ended yet.
            </Text>
          ) : ended.length === 0 ? (
            <EmptyState
              icon={<IconActivity size={30} stroke={1.4} aria-hidden />}
              sentence="Nothing has ended yet. What ends is kept here and in Activity, with its log."
            />
          ) : (
            ended.slice(0, RECENT).map((each) => <OperationLine key={each.id} operation={each} />)
          )}
        </div>
      </section>
    </Page>
  );
}

interface TileProps {
  name: string;
  value: string;
  state: "running" | "queued" | "failed";
  range?: "24h";
  alarming?: boolean;
}

function Tile({ name, value, state, range, alarming }: TileProps) {
  return (
    <div className={`card ${classes.tile}`}>
      <TextLink
        to="/activity"
        search={range ? { state, range } : { state }}
        className={classes.tileLink}
        underline="never"
      >
        {name}
      </TextLink>
      <Text
        className={`figures ${classes.value}`}
        c={alarming ? "var(--mantine-color-error)" : undefined}
      >
        {value}
      </Text>
    </div>
  );
}
