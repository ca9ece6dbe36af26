// What can be done with this bundle now, as the server lists it.
import { Button, Stack } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconRefresh, IconTrash } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { bundleQuery, deleteBundle } from "../../api/bundles";
import { queryClient } from "../../api/query-client";
import type { Bundle } from "../../api/types";
import { useSteering } from "../../api/use-steering";
import { ActButton } from "../../components/ActButton";
import { CancelButton } from "../../components/CancelButton";
import { confirmDestruction } from "../../components/confirm";
import { ErrorPanel } from "../../components/ErrorPanel";
import { bytes } from "../../format/numbers";

export function BundleActions({ bundle }: { bundle: Bundle }) {
  const navigate = useNavigate();
  const steering = useSteering(bundle.id, ({ id }) =>
    navigate({ to: "/bundles/$id", params: { id } }),
  );
  const { cancelling, again } = steering;
  const deleting = useMutation({
    mutationFn: () => deleteBundle(bundle.id),
    onSuccess: (freed) => {
      queryClient.removeQueries({ queryKey: bundleQuery(bundle.id).queryKey });
      notifications.show({ message: `${bundle.name} is deleted: ${bytes(freed)} came free.` });
      return navigate({ to: "/bundles" });
    },
  });
  const can = (action: "cancel" | "again" | "delete") => bundle.actions.includes(action);
  const failed = steering.error ?? deleting.error;
  const stopping = cancelling.isPending || bundle.operation?.cancel_requested === true;
  return (
    <Stack gap="xs" align="flex-end">
      <Button.Group>
        {can("cancel") && <CancelButton stopping={stopping} onClick={() => cancelling.mutate()} />}
        {can("again") && (
          <ActButton
            variant="default"
            leftSection={<IconRefresh size={16} aria-hidden />}
            busy={again.isPending}
            onClick={() => again.mutate()}
          >
            {again.isPending ? "Queuing…" : "Make again"}
          </ActButton>
        )}
        {can("delete") && (
          <ActButton
            variant="default"
            leftSection={<IconTrash size={16} aria-hidden />}
            busy={deleting.isPending}
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
          </ActButton>
        )}
      </Button.Group>
      {failed && (
        <ErrorPanel
          title="That did not work"
          error={failed}
          onDismiss={() => {
            steering.dismiss();
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
