// An operation beside the table, which stays as it is beneath.
import { Drawer, Group } from "@mantine/core";
import { lazy, Suspense } from "react";
import { ButtonLink } from "../../components/links";
import { Waiting } from "../../components/Waiting";
import { isLogFull } from "../../log/log-full";

const OperationView = lazy(async () => {
  const { OperationView: view } = await import("../operation/OperationView");
  return { default: view };
});

export function OperationDrawer({ id, onClose }: { id: string | undefined; onClose: () => void }) {
  return (
    <Drawer
      opened={id !== undefined}
      onClose={() => {
        if (!isLogFull()) onClose();
      }}
      position="right"
      size="min(860px, 92vw)"
      title={
        <Group gap="sm">
          Operation
          {id && (
            <ButtonLink to="/operations/$id" params={{ id }} variant="default" size="compact-sm">
              Open as a page
            </ButtonLink>
          )}
        </Group>
      }
    >
      {id && (
        <Suspense fallback={<Waiting what="Loading the operation…" />}>
          <OperationView id={id} level={2} />
        </Suspense>
      )}
    </Drawer>
  );
}
