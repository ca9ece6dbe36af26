// One source: its name, where it comes from or why it failed, its state.
import {
  IconCheck,
  IconClock,
  IconDownload,
  IconHelp,
  IconMinus,
  IconX,
} from "@tabler/icons-react";
import { ActButton } from "../../components/ActButton";
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
  "not fetched": { word: "Not fetched", Icon: IconMinus },
  "not known": { word: "Not known", Icon: IconHelp },
} as const;

/** What is said of a source that has not ended: it still may, or never will. */
export type Unended = "open" | "not fetched" | "not known";

interface SourceLineProps {
  row: SourceRow;
  unended: Unended;
  /** Its place in the shown list, from 1. */
  position: number;
  top: number;
  onRetry: ((sources: number[]) => void) | undefined;
  retrying: boolean;
}

export function SourceLine({ row, unended, position, top, onRetry, retrying }: SourceLineProps) {
  const { transfer } = row;
  const over = unended !== "open" && (row.state === "queued" || row.state === "fetching");
  const { word, Icon } = LOOKS[over ? unended : row.state];
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
        <span>{word}</span>
      </span>
      <span role="cell" className={classes.source}>
        <span className={classes.name} title={name}>
          {name}
        </span>
        <span className={classes.about}>
          {row.reason && (
            <span className={classes.reason} title={row.reason.message}>
              {row.reason.message}
            </span>
          )}
          <span className={classes.url} title={row.url ?? undefined}>
            {row.url ?? (unended === "open" ? "Waiting for its turn" : "")}
          </span>
        </span>
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
          <ActButton
            size="compact-xs"
            mih={24}
            variant="default"
            busy={retrying}
            aria-label={`Retry ${name}`}
            onClick={() => onRetry([row.index])}
          >
            Retry
          </ActButton>
        )}
      </span>
    </div>
  );
}
