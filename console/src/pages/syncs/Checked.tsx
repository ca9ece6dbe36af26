// Whether everything is there that a sync needs, a line for each thing.
import { Alert, Group, Text } from "@mantine/core";
import { IconCheck, IconX } from "@tabler/icons-react";
import type { CheckedThing } from "../../api/types";
import classes from "./Syncs.module.css";

export function Checked({ things, onDismiss }: { things: CheckedThing[]; onDismiss: () => void }) {
  const missing = things.filter(({ ok }) => !ok).length;
  return (
    <Alert
      color={missing > 0 ? "red" : "green"}
      variant="light"
      title={missing > 0 ? "Something is missing" : "Everything is there"}
      withCloseButton
      closeButtonLabel="Dismiss"
      onClose={onDismiss}
    >
      <ul className={classes.list}>
        {things.map(({ what, ok, missing }) => (
          <li key={what}>
            <Group gap={6} wrap="nowrap" align="flex-start">
              {ok ? (
                <IconCheck size={16} aria-label="There" />
              ) : (
                <IconX size={16} aria-label="Missing" />
              )}
              <Text size="sm" className={classes.name}>
                {what}
                {missing && `: ${missing}`}
              </Text>
            </Group>
          </li>
        ))}
      </ul>
    </Alert>
  );
}
