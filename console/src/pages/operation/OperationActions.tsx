// What the server says can be done with this operation now, and nothing else.
import { Group, Stack, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import type { Operation } from "../../api/types";
import { useSteering } from "../../api/use-steering";
import { ActButton } from "../../components/ActButton";
import { CancelButton } from "../../components/CancelButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { TextLink } from "../../components/links";
import { stateWord } from "../../components/StateBadge";

export function OperationActions({ operation }: { operation: Operation }) {
  const { cancelling, again, error, dismiss } = useSteering(operation.id);
  return (
    <Stack gap="xs" align="flex-end">
      <Group gap="xs">
        {operation.actions.includes("cancel") && (
          <CancelButton
            stopping={cancelling.isPending || operation.cancel_requested}
            onClick={() => cancelling.mutate()}
          />
        )}
        {operation.actions.includes("retry") && (
          <ActButton
            variant="default"
            leftSection={<IconRefresh size={16} aria-hidden />}
            busy={again.isPending}
            onClick={() => again.mutate()}
          >
            {again.isPending ? "Queuing…" : "Run again"}
          </ActButton>
        )}
      </Group>
      {again.data && (
        <Text size="sm" role="status">
          {stateWord(again.data.state)} as{" "}
          <TextLink
            to="/operations/$id"
            params={{ id: again.data.id }}
            size="sm"
            underline="always"
          >
            {again.data.title}
          </TextLink>
        </Text>
      )}
      {error && <ErrorPanel title="That did not work" error={error} onDismiss={dismiss} />}
    </Stack>
  );
}
