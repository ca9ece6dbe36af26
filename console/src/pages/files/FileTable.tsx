// The list itself: only the rows that are seen stand on the page, and pages are read
// well before one comes to them, so that 100,000 files scroll as a hundred do.
import { Checkbox, Text } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect, useRef } from "react";
import { ErrorPanel } from "../../components/ErrorPanel";
import { useNarrow } from "../../components/use-narrow";
import { FileRow, type RowActs, rowId } from "./FileRow";
import classes from "./FileTable.module.css";
import type { Row } from "./rows";
import type { Selection } from "./selection";
import type { useFolder } from "./use-folder";

export type SortKey = "name" | "size" | "date";

interface FileTableProps {
  bucket: string;
  within: string;
  rows: readonly Row[];
  query: ReturnType<typeof useFolder>["query"];
  selection: Selection;
  /** The paths of what a link opens to others. */
  shared: ReadonlySet<string>;
  acts: RowActs;
  onChooseAll: () => void;
  /** None where the order is not the reader's to choose, as of what words found. */
  sorting: { sort: SortKey; descending: boolean; onSort: (sort: SortKey) => void } | null;
  frame: RefObject<HTMLDivElement | null>;
}

const ROW = 40;
const NARROW_ROW = 60;
const HEAD = 36;
// Rows are read this far ahead: three pages.
const AHEAD = 600;

export function FileTable(props: FileTableProps) {
  const { bucket, within, rows, query, selection, shared, acts, onChooseAll, sorting, frame } =
    props;
  const { hasNextPage, isFetchingNextPage, fetchNextPage, error } = query;
  const narrow = useNarrow();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => (narrow ? NARROW_ROW : ROW),
    getItemKey: useCallback((index: number) => rows[index]?.key ?? index, [rows]),
    overscan: 12,
    // The head stands in the same box, above the rows.
    scrollPaddingEnd: narrow ? 0 : HEAD,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows of another height
  useEffect(() => virtual.measure(), [narrow]);
  const items = virtual.getVirtualItems();
  const lowest = items.at(-1)?.index ?? 0;
  useEffect(() => {
    const near = lowest >= rows.length - AHEAD;
    if (near && hasNextPage && !isFetchingNextPage && !error) void fetchNextPage();
  }, [lowest, rows.length, hasNextPage, isFetchingNextPage, error, fetchNextPage]);

  const standing = useStanding(rows, selection.at, virtual.scrollToIndex);
  const some = selection.chosen.size > 0;
  const whole = some && selection.chosen.size === rows.length && !hasNextPage;
  return (
    <div ref={frame} className={`card ${classes.frame}`}>
      <div
        className={classes.grid}
        role="grid"
        aria-label="Files"
        aria-multiselectable
        aria-rowcount={hasNextPage ? -1 : rows.length + 1}
        aria-activedescendant={
          items.some(({ index }) => index === standing) ? rowId(standing + 2) : undefined
        }
        tabIndex={0}
        data-files
      >
        <div role="rowgroup" className={classes.head}>
          <div role="row" className={classes.row} aria-rowindex={1}>
            <span role="columnheader" className={classes.check}>
              <Checkbox
                size="xs"
                aria-label={whole ? "Choose nothing" : "Choose all that is listed"}
                checked={whole}
                indeterminate={some && !whole}
                onChange={onChooseAll}
              />
            </span>
            <Heading name="Name" sort="name" className={classes.name} sorting={sorting} />
            <Heading name="Size" sort="size" className={classes.size} sorting={sorting} />
            <span role="columnheader" className={classes.type}>
              Type
            </span>
            <Heading name="Changed" sort="date" className={classes.date} sorting={sorting} />
          </div>
        </div>
        <div role="rowgroup" style={{ position: "relative", height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index];
            return (
              row && (
                <FileRow
                  key={row.key}
                  row={row}
                  bucket={bucket}
                  within={within}
                  position={item.index + 2}
                  top={item.start}
                  chosen={selection.chosen.has(row.key)}
                  standing={selection.at === row.key}
                  shared={shared.has(row.path)}
                  acts={acts}
                />
              )
            );
          })}
        </div>
      </div>
      {isFetchingNextPage && lowest >= rows.length - 20 && (
        <Text size="sm" c="dimmed" className={classes.tail} role="status">
          Reading more of this folder…
        </Text>
      )}
      {error && (
        <div className={classes.tail}>
          <ErrorPanel
            title="The rest of this folder could not be read"
            error={error}
            onRetry={() => void fetchNextPage()}
          />
        </div>
      )}
    </div>
  );
}

// Where the keyboard stands is kept in sight, but only when it moves: rows that come in
// above must not drag the reader along.
function useStanding(
  rows: readonly Row[],
  at: string | null,
  scrollTo: (index: number) => void,
): number {
  const index = at === null ? -1 : rows.findIndex(({ key }) => key === at);
  const before = useRef(at);
  useEffect(() => {
    if (before.current === at) return;
    before.current = at;
    if (index >= 0) scrollTo(index);
  }, [at, index, scrollTo]);
  return index;
}

interface HeadingProps {
  name: string;
  sort: SortKey;
  className: string | undefined;
  sorting: FileTableProps["sorting"];
}

function Heading({ name, sort, className, sorting }: HeadingProps) {
  const sorted = sorting?.sort === sort;
  const Arrow = sorting?.descending ? IconArrowDown : IconArrowUp;
  return (
    <span
      role="columnheader"
      className={className}
      aria-sort={sorted ? (sorting.descending ? "descending" : "ascending") : undefined}
    >
      {sorting ? (
        <button
          type="button"
          className={classes.sort}
          data-sorted={sorted}
          onClick={() => sorting.onSort(sort)}
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
