// Whether what is shown is live, in one word.
import { Tooltip } from "@mantine/core";
import type { LiveStatus } from "../api/live";
import { useLiveStatus } from "../api/use-live";
import classes from "./Live.module.css";
import { statusWord } from "./live-words";

function explained(status: LiveStatus): string {
  switch (status.phase) {
    case "open":
      return status.polling
        ? "Changes are asked for again and again, as no WebSocket could be opened"
        : "Changes arrive as they happen";
    case "waiting":
      return "The live connection is lost; the console resumes where it stopped";
    default:
      return "Opening the live connection";
  }
}

export function LiveIndicator() {
  const status = useLiveStatus();
  return (
    <Tooltip label={explained(status)}>
      <span
        className={classes.indicator}
        data-phase={status.phase}
        data-polling={status.phase === "open" && status.polling}
        role="status"
      >
        <span className={classes.dot} aria-hidden />
        <span>{statusWord(status)}</span>
      </span>
    </Tooltip>
  );
}
