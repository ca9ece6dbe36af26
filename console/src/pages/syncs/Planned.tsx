// What a pass would do. Nothing was changed.
import { Alert, Text } from "@mantine/core";
import type { DryRun } from "../../api/types";
import { bytes, count, counted } from "../../format/numbers";
import classes from "./Syncs.module.css";
import { planWords } from "./sync-words";

const SHOWN = 20;

export function Planned({ plan, onDismiss }: { plan: DryRun; onDismiss: () => void }) {
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
        {files.slice(0, SHOWN).map(({ item, name, type, size, target, skipped }) => (
          <li key={item}>
            <Text size="sm" className={classes.name}>
              {name || item}
              <Text span size="xs" c="dimmed">
                {" "}
                {type}
                {size == null ? "" : `, ${bytes(size)}`}:{" "}
                {skipped ?? (target ? `to ${target}` : "where its size belongs")}
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
    </Alert>
  );
}
