// The list itself: only the rows that are seen stand on the page, and pages are read
// well before one comes to them, so that 100,000 files scroll as a hundred do.
import { Checkbox } from "@mantine/core";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useEffect } from "react";
import { useNarrow } from "../../components/use-narrow";
import { type RowActs, rowId } from "./entry";
import { FileRow } from "./FileRow";
import classes from "./FileTable.module.css";
import { ListTail } from "./ListTail";
import type { Row } from "./rows";
import type { Selection } from "./selection";
import { type FolderQuery, useReadingAhead, useStanding } from "./use-list";

export type SortKey = "name" | "size" | "date";

export interface FileTableProps {
  bucket: string;
  within: string;
  rows: readonly Row[];
  query: FolderQuery;
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

export function FileTable(props: FileTableProps) {
  const { bucket, within, rows, query, selection, shared, acts, onChooseAll, sorting, frame } =
    props;
  const { hasNextPage } = query;
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
  useReadingAhead(query, lowest, rows.length);
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
      <ListTail query={query} near={lowest >= rows.length - 20} />
    </div>
  );
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
