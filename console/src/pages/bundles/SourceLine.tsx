// One source: its name, where it comes from or why it failed, its state.
import { Button } from "@mantine/core";
import { IconCheck, IconClock, IconDownload, IconX } from "@tabler/icons-react";
import { ProgressBar } from "../../components/ProgressBar";
import { bytes, count, percent } from "../../format/numbers";
import classes from "./SourceTable.module.css";
import { fileNameOf } from "./source-list";
import type { SourceRow } from "./source-rows";

const LOOKS = {
  queued: { word: "Queued", Icon: IconClock },
  fetching: { word: "Fetching", Icon: IconDownload },
  done: { word: "Done", Icon: IconCheck },
  failed: { word: "Failed", Icon: IconX },
} as const;

interface SourceLineProps {
  row: SourceRow;
  /** Its place in the shown list, from 1. */
  position: number;
  top: number;
  onRetry: ((sources: number[]) => void) | undefined;
  retrying: boolean;
}

export function SourceLine({ row, position, top, onRetry, retrying }: SourceLineProps) {
  const { transfer } = row;
  const { word, Icon } = LOOKS[row.state];
  const name = row.path ?? (row.url ? fileNameOf(row.url) : `Source ${count(row.index + 1)}`);
  const fetched = transfer?.done ?? row.bytes;
  return (
    <div
      role="row"
      aria-rowindex={position}
      className={classes.row}
      data-state={row.state}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span role="cell" className={classes.state}>
        <Icon size={15} stroke={2.2} aria-hidden />
        {word}
      </span>
      <span role="cell" className={classes.source}>
        <span className={classes.name} title={name}>
          {name}
        </span>
        {row.reason ? (
          <span className={classes.reason} title={row.reason.message}>
            {row.reason.message}
          </span>
        ) : (
          <span className={classes.url} title={row.url ?? undefined}>
            {row.url ?? "Waiting for its turn"}
          </span>
        )}
      </span>
      <span role="cell" className={classes.amount}>
        {transfer && (
          <ProgressBar
            size={4}
            active
            percent={percent(transfer.done, transfer.total)}
            label={`Progress of ${name}`}
          />
        )}
        {fetched > 0 && bytes(fetched)}
        {row.state === "failed" && row.status !== null && `HTTP ${row.status}`}
      </span>
      <span role="cell" className={classes.action}>
        {onRetry && (
          <Button
            size="compact-xs"
            variant="default"
            disabled={retrying}
            aria-label={`Retry ${name}`}
            onClick={() => onRetry([row.index])}
          >
            Retry
          </Button>
        )}
      </span>
    </div>
  );
}
