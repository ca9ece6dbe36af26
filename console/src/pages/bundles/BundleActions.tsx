// What can be done with this bundle now, as the server lists it.
import { Button, Stack } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconPlayerStop, IconRefresh, IconTrash } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { bundleQuery, deleteBundle, mergeIntoBundle } from "../../api/bundles";
import { cancelOperation, retryOperation } from "../../api/operations";
import { queryClient } from "../../api/query-client";
import type { Bundle } from "../../api/types";
import { confirmDestruction } from "../../components/confirm";
import { ErrorPanel } from "../../components/ErrorPanel";
import { bytes } from "../../format/numbers";

export function BundleActions({ bundle }: { bundle: Bundle }) {
  const navigate = useNavigate();
  const cancelling = useMutation({
    mutationFn: () => cancelOperation(bundle.id),
    onSuccess: mergeIntoBundle,
  });
  const again = useMutation({
    mutationFn: () => retryOperation(bundle.id),
    onSuccess: ({ id }) => navigate({ to: "/bundles/$id", params: { id } }),
  });
  const deleting = useMutation({
    mutationFn: () => deleteBundle(bundle.id),
    onSuccess: (freed) => {
      queryClient.removeQueries({ queryKey: bundleQuery(bundle.id).queryKey });
      notifications.show({ message: `${bundle.name} is deleted: ${bytes(freed)} came free.` });
      return navigate({ to: "/bundles" });
    },
  });
  const can = (action: "cancel" | "again" | "delete") => bundle.actions.includes(action);
  const failed = cancelling.error ?? again.error ?? deleting.error;
  const stopping = cancelling.isPending || bundle.operation?.cancel_requested === true;
  return (
    <Stack gap="xs" align="flex-end">
      <Button.Group>
        {can("cancel") && (
          <Button
            variant="default"
            leftSection={<IconPlayerStop size={16} aria-hidden />}
            disabled={stopping}
            onClick={() => cancelling.mutate()}
          >
            {stopping ? "Stopping…" : "Cancel"}
          </Button>
        )}
        {can("again") && (
          <Button
            variant="default"
            leftSection={<IconRefresh size={16} aria-hidden />}
            disabled={again.isPending}
            onClick={() => again.mutate()}
          >
            {again.isPending ? "Queuing…" : "Make again"}
          </Button>
        )}
        {can("delete") && (
          <Button
            variant="default"
            leftSection={<IconTrash size={16} aria-hidden />}
            disabled={deleting.isPending}
            onClick={() =>
              confirmDestruction({
                action: `Delete ${bundle.name}`,
                consequences: [
                  `The zip goes: ${freedWords(bundle)}. Links to it stop working.`,
                  "The operation and its log stay in Activity.",
                ],
                onConfirm: () => deleting.mutate(),
              })
            }
          >
            {deleting.isPending ? "Deleting…" : "Delete"}
          </Button>
        )}
      </Button.Group>
      {failed && (
        <ErrorPanel
          title="That did not work"
          error={failed}
          onDismiss={() => {
            cancelling.reset();
            again.reset();
            deleting.reset();
          }}
        />
      )}
    </Stack>
  );
}

function freedWords(bundle: Bundle): string {
  return bundle.size ? `${bytes(bundle.size)} come free` : "it held no bytes";
}
