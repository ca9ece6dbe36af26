// What runs now, from anywhere, without leaving the page.
import { ActionIcon, Drawer, Indicator, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconProgress } from "@tabler/icons-react";
import { useActiveOperations } from "../api/use-live";
import { EmptyState } from "../components/EmptyState";
import { ButtonLink } from "../components/links";
import { OperationLine } from "../components/OperationLine";
import { counted } from "../format/numbers";

export function RunningButton() {
  const active = useActiveOperations();
  const [opened, { open, close }] = useDisclosure(false);
  const label = active.length ? `${counted(active.length, "operation")} running` : "Nothing runs";
  return (
    <>
      <Tooltip label={label}>
        <Indicator
          disabled={active.length === 0}
          label={active.length > 99 ? "99+" : active.length}
          size={16}
          offset={5}
          color="indigo"
        >
          <ActionIcon variant="subtle" color="gray" size={34} aria-label={label} onClick={open}>
            <IconProgress size={19} aria-hidden />
          </ActionIcon>
        </Indicator>
      </Tooltip>
      <Drawer
        opened={opened}
        onClose={close}
        position="right"
        size="md"
        title="Running operations"
        padding={0}
        styles={{ header: { padding: "12px 16px" }, title: { fontWeight: 600 } }}
      >
        {active.length === 0 ? (
          <EmptyState
            icon={<IconProgress size={32} stroke={1.4} aria-hidden />}
            sentence="Nothing runs at the moment. What ended is listed in Activity."
            action={
              <ButtonLink to="/activity" variant="default" onClick={close}>
                Open Activity
              </ButtonLink>
            }
          />
        ) : (
          active
            .slice(0, 50)
            .map((operation) => (
              <OperationLine key={operation.id} operation={operation} onOpen={close} />
            ))
        )}
      </Drawer>
    </>
  );
}
