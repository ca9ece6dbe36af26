// The list as tiles. Only the lines that are seen stand on the page, and their pictures are
// loaded only then.
import { useElementSize } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback } from "react";
import { rowId } from "./entry";
import type { FileTableProps } from "./FileTable";
import list from "./FileTable.module.css";
import { FileTile } from "./FileTile";
import classes from "./FileTiles.module.css";
import { ListTail } from "./ListTail";
import { columnsIn } from "./layout";
import { useReadingAhead, useStanding } from "./use-list";

interface FileTilesProps extends Omit<FileTableProps, "onChooseAll" | "sorting"> {
  pictures: boolean;
}

// As high as its style says.
const LINE = 184;

export function FileTiles(props: FileTilesProps) {
  const { bucket, within, rows, query, selection, shared, pictures, acts, frame } = props;
  const { ref, width } = useElementSize();
  const columns = columnsIn(width);
  const virtual = useVirtualizer({
    count: Math.ceil(rows.length / columns),
    getScrollElement: () => frame.current,
    estimateSize: () => LINE,
    overscan: 3,
  });
  const lines = virtual.getVirtualItems();
  const lowest = ((lines.at(-1)?.index ?? 0) + 1) * columns - 1;
  useReadingAhead(query, lowest, rows.length);
  const { scrollToIndex } = virtual;
  const scrollTo = useCallback(
    (index: number) => scrollToIndex(Math.floor(index / columns)),
    [scrollToIndex, columns],
  );
  const standing = useStanding(rows, selection.at, scrollTo);
  const standsIn = Math.floor(standing / columns);
  return (
    <div ref={frame} className={`card ${list.frame}`}>
      <div
        ref={ref}
        className={list.grid}
        role="grid"
        aria-label="Files"
        aria-multiselectable
        aria-rowcount={query.hasNextPage ? -1 : Math.ceil(rows.length / columns)}
        aria-colcount={columns}
        aria-activedescendant={
          lines.some(({ index }) => index === standsIn) ? rowId(standing + 1) : undefined
        }
        tabIndex={0}
        data-files
        data-columns={columns}
      >
        <div role="rowgroup" style={{ position: "relative", height: virtual.getTotalSize() }}>
          {lines.map(({ key, index, start }) => (
            <div
              key={key}
              role="row"
              aria-rowindex={index + 1}
              className={classes.line}
              style={{
                transform: `translateY(${start}px)`,
                gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
              }}
            >
              {rows.slice(index * columns, (index + 1) * columns).map((row, column) => (
                <FileTile
                  key={row.key}
                  row={row}
                  bucket={bucket}
                  within={within}
                  position={index * columns + column + 1}
                  column={column + 1}
                  chosen={selection.chosen.has(row.key)}
                  standing={selection.at === row.key}
                  shared={shared.has(row.path)}
                  pictures={pictures}
                  acts={acts}
                />
              ))}
            </div>
          ))}
        </div>
      </div>
      <ListTail query={query} near={lowest >= rows.length - 20} />
    </div>
  );
}
