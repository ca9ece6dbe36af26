// Who did what, the newest first. The filters live in the address.
import { Button, Select, Text } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { auditPages } from "../../api/settings";
import type { AuditEntry } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ExactField } from "../../components/ExactField";
import { Ago } from "../../components/Times";
import { actorName } from "../../format/actor";
import { RANGE_WORDS } from "../activity/filters";
import { type AuditFilters, readAuditFilters, toAuditQuery } from "./audit-filters";
import { Loaded, Panel } from "./Panel";
import { ListCard, ListRow } from "./PanelList";
import classes from "./Settings.module.css";

const route = getRouteApi("/frame/settings/audit");

export function AuditPanel() {
  const filters = readAuditFilters({ ...route.useSearch() });
  const navigate = route.useNavigate();
  const key = JSON.stringify(filters);
  // A relative time is counted from when the list was asked for.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the filters
  const options = useMemo(() => auditPages(toAuditQuery(filters, Date.now())), [key]);
  const query = useInfiniteQuery(options);
  const set = (change: Partial<Record<keyof AuditFilters, string | null>>) =>
    navigate({
      search: readAuditFilters({ ...filters, ...change }),
      replace: true,
      resetScroll: false,
    });
  return (
    <Panel
      title="Audit"
      lead="Log-ins, and every change of users, tokens, secrets and settings. Entries are never changed."
    >
      <search aria-label="Filters">
        <div className={classes.filters}>
          <ExactField name="Actor" value={filters.actor} onChange={(actor) => set({ actor })} />
          <ExactField name="Action" value={filters.action} onChange={(action) => set({ action })} />
          <ExactField
            name="Subject"
            value={filters.subject}
            onChange={(subject) => set({ subject })}
          />
          <Select
            aria-label="Time"
            placeholder="Any time"
            clearable
            data={RANGE_WORDS}
            value={filters.range ?? null}
            onChange={(range) => set({ range })}
          />
          {key !== "{}" && (
            <Button
              variant="subtle"
              color="gray"
              onClick={() => set({ actor: null, action: null, subject: null, range: null })}
            >
              Clear filters
            </Button>
          )}
        </div>
      </search>
      <Loaded query={query} what="the record">
        {({ pages }) => <Entries entries={pages.flatMap((page) => page.items)} />}
      </Loaded>
      {query.error && query.data && (
        <ErrorPanel
          title="Older entries could not be read"
          error={query.error}
          onRetry={() => void query.fetchNextPage()}
        />
      )}
      {query.hasNextPage && (
        <ActButton
          w="fit-content"
          variant="default"
          busy={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {query.isFetchingNextPage ? "Reading older entries…" : "Show older entries"}
        </ActButton>
      )}
    </Panel>
  );
}

const NOTHING = {
  Icon: IconHistory,
  sentence: "No entry matches. Names are matched whole, such as login.failed or user:anna.",
};

function Entries({ entries }: { entries: AuditEntry[] }) {
  return (
    <ListCard items={entries} empty={NOTHING}>
      {(entry) => <Entry key={entry.id} entry={entry} />}
    </ListCard>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  const { at, actor, action, subject, address, before, after } = entry;
  const told = [
    ["Before", before],
    ["After", after],
  ].filter(([, value]) => value !== null && value !== undefined) as Array<[string, unknown]>;
  return (
    <ListRow
      name={action}
      mono
      notes={
        <>
          {actorName(actor)}
          {subject && ` · ${subject}`}
          {address && ` · from ${address}`}
        </>
      }
      beside={
        <Text size="sm" c="dimmed">
          <Ago time={at} />
        </Text>
      }
      unfolded={
        told.length > 0 && (
          <details className={classes.details}>
            <summary>What changed</summary>
            {told.map(([when, value]) => (
              <pre key={when} className="mono">
                {when}: {JSON.stringify(value, null, 2)}
              </pre>
            ))}
          </details>
        )
      }
    />
  );
}
