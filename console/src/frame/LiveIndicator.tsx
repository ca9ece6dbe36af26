// Whether what is shown is live, in one word.
import { Tooltip } from "@mantine/core";
import { useLiveStatus } from "../api/use-live";
import classes from "./Live.module.css";
import { statusWord } from "./live-words";

const EXPLAINED = {
  open: "Changes arrive as they happen",
  waiting: "The live connection is lost; the console resumes where it stopped",
  connecting: "Opening the live connection",
  stopped: "Opening the live connection",
} as const;

export function LiveIndicator() {
  const status = useLiveStatus();
  return (
    <Tooltip label={EXPLAINED[status.phase]}>
      <span className={classes.indicator} data-phase={status.phase} role="status">
        <span className={classes.dot} aria-hidden />
        <span>{statusWord(status)}</span>
      </span>
    </Tooltip>
  );
}
