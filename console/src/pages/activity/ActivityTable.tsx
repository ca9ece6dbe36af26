// The table holds still: rows change in place, new ones wait to be asked for.
import { Button, Text } from "@mantine/core";
import { IconActivity, IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef } from "react";
import { useMay } from "../../api/session";
import { EmptyState } from "../../components/EmptyState";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ButtonLink } from "../../components/links";
import { useNarrow } from "../../components/use-narrow";
import { Waiting } from "../../components/Waiting";
import { count } from "../../format/numbers";
import { ActivityRow } from "./ActivityRow";
import classes from "./ActivityTable.module.css";
import { COLUMNS, type Column, TWO_LINES } from "./columns";
import { activeFilters, type Filters, firstOrder, type Sort, sortedBy } from "./filters";
import { useActivity } from "./use-activity";

interface ActivityTableProps {
  filters: Filters;
  onChange: (filters: Filters) => void;
  onOpen: (id: string) => void;
}

const ROW = 44;
const NARROW_ROW = 64;
// The next page is asked for when this few rows are left below.
const AHEAD = 15;

export function ActivityTable({ filters, onChange, onOpen }: ActivityTableProps) {
  const { query, operations, fresh, showFresh, asks, lookFurther } = useActivity(filters);
  const { error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = query;
  const narrow = useNarrow(TWO_LINES);
  const frame = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: operations.length,
    getScrollElement: () => frame.current,
    estimateSize: () => (narrow ? NARROW_ROW : ROW),
    getItemKey: useCallback((index: number) => operations[index]?.id ?? index, [operations]),
    overscan: 10,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows of another height
  useEffect(() => virtual.measure(), [narrow]);
  const items = virtual.getVirtualItems();
  const lowest = items.at(-1)?.index ?? 0;
  useEffect(() => {
    const near = lowest >= operations.length - AHEAD;
    if (near && hasNextPage && !isFetchingNextPage && !asks && !error) void fetchNextPage();
  }, [lowest, operations.length, hasNextPage, isFetchingNextPage, asks, error, fetchNextPage]);

  if (isPending) return <Waiting what="Reading operations…" />;
  if (error && operations.length === 0) {
    return <ErrorPanel title="The operations could not be read" error={error} onRetry={refetch} />;
  }
  return (
    <div className={classes.whole}>
      {fresh > 0 && (
        <Button
          className={classes.fresh}
          size="compact-sm"
          radius="xl"
          leftSection={<IconArrowUp size={14} aria-hidden />}
          onClick={() => {
            frame.current?.scrollTo({ top: 0 });
            void showFresh();
          }}
        >
          <span aria-live="polite">{count(fresh)} new</span>
        </Button>
      )}
      {operations.length === 0 && !hasNextPage ? (
        <Nothing filtered={activeFilters(filters) > 0} />
      ) : (
        <div ref={frame} className={`card ${classes.frame}`} tabIndex={0}>
          <div
            role="table"
            aria-label="Operations"
            aria-rowcount={hasNextPage ? -1 : operations.length + 1}
          >
            <div role="rowgroup" className={classes.head}>
              <div role="row" className={classes.row}>
                {COLUMNS.map((column) => (
                  <Heading
                    key={column.name}
                    column={column}
                    filters={filters}
                    drawn={!narrow}
                    onChange={onChange}
                  />
                ))}
              </div>
            </div>
            <div role="rowgroup" style={{ position: "relative", height: virtual.getTotalSize() }}>
              {items.map((item) => {
                const operation = operations[item.index];
                return (
                  operation && (
                    <ActivityRow
                      key={operation.id}
                      operation={operation}
                      position={item.index + 2}
                      top={item.start}
                      onOpen={onOpen}
                    />
                  )
                );
              })}
            </div>
          </div>
          {isFetchingNextPage && (
            <Text size="sm" c="dimmed" p="sm" role="status">
              Reading older operations…
            </Text>
          )}
          {asks && (
            <div className={classes.asks} role="status">
              <Text size="sm">
                {operations.length === 0
                  ? "Nothing found among the newest operations."
                  : "Nothing more found for a good while back."}
              </Text>
              <Button size="xs" variant="default" onClick={lookFurther}>
                Look further
              </Button>
            </div>
          )}
          {error && (
            <ErrorPanel
              title="Older operations could not be read"
              error={error}
              onRetry={() => void fetchNextPage()}
            />
          )}
        </div>
      )}
    </div>
  );
}

interface HeadingProps {
  column: Column;
  filters: Filters;
  /** Rows of two lines have heads for screen readers alone: nothing in them takes focus. */
  drawn: boolean;
  onChange: (filters: Filters) => void;
}

function Heading({ column, filters, drawn, onChange }: HeadingProps) {
  const { name, sort, className } = column;
  const sorted = sort !== undefined && (filters.sort ?? "created_at") === sort;
  const upward = filters.order === "asc";
  const Arrow = upward ? IconArrowUp : IconArrowDown;
  const toggle = (by: Sort) => {
    const other = upward ? "desc" : "asc";
    onChange(sortedBy(filters, by, sorted ? other : firstOrder(by)));
  };
  return (
    <span
      role="columnheader"
      className={classes[className]}
      aria-sort={sorted ? (upward ? "ascending" : "descending") : undefined}
    >
      {sort && drawn ? (
        <button
          type="button"
          className={classes.sort}
          data-sorted={sorted}
          onClick={() => toggle(sort)}
        >
          {name}
          {sorted && <Arrow size={13} aria-hidden />}
        </button>
      ) : (
        name
      )}
    </span>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  const mayMake = useMay("operator");
  return (
    <div className="card">
      <EmptyState
        icon={<IconActivity size={34} stroke={1.4} aria-hidden />}
        sentence={
          filtered
            ? "No operation matches these filters. Widen the time or take one away."
            : "Nothing has happened yet. Whatever takes time is listed here, with its log."
        }
        action={
          filtered || !mayMake ? undefined : <ButtonLink to="/bundles">Make a bundle</ButtonLink>
        }
        command={filtered ? undefined : "longshore ops ls"}
      />
    </div>
  );
}
