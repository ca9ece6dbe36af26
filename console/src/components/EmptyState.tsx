// Nothing here yet: one sentence, one button, and where it helps one command.
import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { CopyLine } from "./CopyLine";

interface EmptyStateProps {
  icon: ReactNode;
  sentence: string;
  action?: ReactNode;
  command?: string | undefined;
}

export function EmptyState({ icon, sentence, action, command }: EmptyStateProps) {
  return (
    <Stack align="center" gap="sm" py={36} px="md" ta="center">
      <Text c="dimmed" lh={1} component="span">
        {icon}
      </Text>
      <Text maw={460} style={{ textWrap: "balance" }}>
        {sentence}
      </Text>
      {action}
      {command && (
        <div style={{ width: "100%", maxWidth: 640 }}>
          <CopyLine text={command} />
        </div>
      )}
    </Stack>
  );
}
