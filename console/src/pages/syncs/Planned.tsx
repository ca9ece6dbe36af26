// What a pass would do. Nothing was changed.
import { Alert, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { DryRun } from "../../api/types";
import { bytes, count, counted } from "../../format/numbers";
import classes from "./Syncs.module.css";
import { placeWords, planWords } from "./sync-words";

const SHOWN = 20;

interface PlannedProps {
  plan: DryRun;
  onDismiss: () => void;
  /** What can be done about it. */
  children?: ReactNode;
}

export function Planned({ plan, onDismiss, children }: PlannedProps) {
  const { files, deliver, skip, known, more } = plan;
  const goes = planWords(plan);
  return (
    <Alert
      color="indigo"
      variant="light"
      title={`Dry run, nothing was changed: ${counted(deliver, "file")} would be sent, ${count(skip)} skipped`}
      withCloseButton
      closeButtonLabel="Dismiss"
      onClose={onDismiss}
    >
      {goes && <Text size="sm">{goes}</Text>}
      <Text size="sm">
        {count(known)} are known already{more ? "; there are more than were looked at" : ""}.
      </Text>
      <ul className={classes.list}>
        {files.slice(0, SHOWN).map((file) => (
          <li key={file.item}>
            <Text size="sm" className={classes.name}>
              {file.name || file.item}
              <Text span size="xs" c="dimmed">
                {" "}
                {[file.type, file.size == null ? "" : bytes(file.size)].filter(Boolean).join(", ")}:{" "}
                {placeWords(file)}
              </Text>
            </Text>
          </li>
        ))}
      </ul>
      {files.length > SHOWN && (
        <Text size="sm" c="dimmed">
          and {count(deliver + skip - SHOWN)} more
        </Text>
      )}
      {children && <div className={classes.acts}>{children}</div>}
    </Alert>
  );
}
