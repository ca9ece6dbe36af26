// What runs now, what ended lately, and on a fresh server what to do first.
import { SimpleGrid, Text, Title } from "@mantine/core";
import { IconActivity, IconProgress } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
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
import { count } from "../../format/numbers";
import classes from "./Dashboard.module.css";
import { FirstSteps } from "./FirstSteps";
import { useFailures } from "./use-failures";

const RECENT = 10;
const recentPages = operationPages({ sort: "created_at", order: "desc", limit: 25 });

export function DashboardPage() {
  const mayMake = useMay("operator");
  const active = useActiveOperations();
  const recent = useInfiniteQuery(recentPages);
  const { refetch } = recent;
  useOperationChanges(
    (operation) => {
      const shown = mergeIntoPages(recentPages.queryKey, operation);
      if (!shown && operation.state !== "running") void refetch();
    },
    () => void refetch(),
  );
  const failures = useFailures();
  const queued = active.filter(({ state }) => state === "queued").length;
  const ended = (recent.data?.pages[0]?.items ?? []).filter((operation) => !isActive(operation));
  return (
    <Page title="Dashboard" actions={mayMake && <ButtonLink to="/bundles">New bundle</ButtonLink>}>
      <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="md">
        <Tile name="Running now" value={count(active.length - queued)} state="running" />
        <Tile name="Waiting in line" value={count(queued)} state="queued" />
        <Tile
          name="Failed in the last day"
          value={
            failures === null ? "…" : failures.more ? `${failures.count}+` : count(failures.count)
          }
          state="failed"
          range="24h"
          alarming={failures !== null && failures.count > 0}
        />
      </SimpleGrid>
      <FirstSteps />
      <section aria-labelledby="running">
        <Title order={2} id="running" mb="sm">
          Running now
        </Title>
        <div className="card">
          {active.length === 0 ? (
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
          {recent.isPending ? (
            <Waiting what="Reading recent operations…" />
          ) : recent.error && !recent.data ? (
            <ErrorPanel
              title="Recent operations could not be read"
              error={recent.error}
              onRetry={refetch}
            />
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
