// What the server says can be done with this operation now, and nothing else.
import { Button, Group, Stack, Text } from "@mantine/core";
import { IconPlayerStop, IconRefresh } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { cancelOperation, mergeOperation, retryOperation } from "../../api/operations";
import type { Operation } from "../../api/types";
import { ErrorPanel } from "../../components/ErrorPanel";
import { TextLink } from "../../components/links";
import { stateWord } from "../../components/StateBadge";

export function OperationActions({ operation }: { operation: Operation }) {
  const cancelling = useMutation({
    mutationFn: () => cancelOperation(operation.id),
    onSuccess: mergeOperation,
  });
  const retrying = useMutation({ mutationFn: () => retryOperation(operation.id) });
  const stopping = cancelling.isPending || operation.cancel_requested;
  const failed = cancelling.error ?? retrying.error;
  return (
    <Stack gap="xs" align="flex-end">
      <Group gap="xs">
        {operation.actions.includes("cancel") && (
          <Button
            variant="default"
            leftSection={<IconPlayerStop size={16} aria-hidden />}
            disabled={stopping}
            onClick={() => cancelling.mutate()}
          >
            {stopping ? "Stopping…" : "Cancel"}
          </Button>
        )}
        {operation.actions.includes("retry") && (
          <Button
            variant="default"
            leftSection={<IconRefresh size={16} aria-hidden />}
            disabled={retrying.isPending}
            onClick={() => retrying.mutate()}
          >
            {retrying.isPending ? "Queuing…" : "Run again"}
          </Button>
        )}
      </Group>
      {retrying.data && (
        <Text size="sm" role="status">
          {stateWord(retrying.data.state)} as{" "}
          <TextLink
            to="/operations/$id"
            params={{ id: retrying.data.id }}
            size="sm"
            underline="always"
          >
            {retrying.data.title}
          </TextLink>
        </Text>
      )}
      {failed && (
        <ErrorPanel
          title="That did not work"
          error={failed}
          onDismiss={() => {
            cancelling.reset();
            retrying.reset();
          }}
        />
      )}
    </Stack>
  );
}
