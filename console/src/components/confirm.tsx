// Asking before something is lost. The button repeats what it will do.
import { Stack, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { Children, type ReactNode } from "react";

interface Destruction {
  /** Verb and name: "Delete covers-may". */
  action: string;
  /** What goes, with counts, and what stays. */
  consequences: ReactNode[];
  onConfirm: () => void;
}

export function confirmDestruction({ action, consequences, onConfirm }: Destruction): void {
  modals.openConfirmModal({
    title: `${action}?`,
    children: (
      <Stack gap="xs">
        {Children.map(consequences, (line) => (
          <Text size="sm">{line}</Text>
        ))}
      </Stack>
    ),
    labels: { confirm: action, cancel: "Keep it" },
    confirmProps: { color: "red.9" },
    onConfirm,
  });
}
