// What runs and waits now, from anywhere, without leaving the page.
import { ActionIcon, Drawer, Indicator, Text, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconProgress } from "@tabler/icons-react";
import { isRunning } from "../api/feed";
import { type ActiveNow, useActiveOperations } from "../api/use-live";
import { EmptyState } from "../components/EmptyState";
import { ButtonLink, TextLink } from "../components/links";
import { OperationLine } from "../components/OperationLine";
import { Waiting } from "../components/Waiting";
import { countSoFar } from "../format/numbers";
import { activeWords, countActive } from "./active-words";
import { LastLine } from "./LastLine";
import classes from "./RunningDrawer.module.css";

const MOST_SHOWN = 50;
// So many logs are followed at once: a client follows only so many topics.
const MOST_FOLLOWED = 10;

export function RunningButton() {
  const now = useActiveOperations();
  const [opened, { open, close }] = useDisclosure(false);
  const { running, queued } = countActive(now.operations);
  const label = labelOf(now);
  const number = running || queued;
  return (
    <>
      <Tooltip label={label}>
        <Indicator
          disabled={number === 0}
          label={number > 99 ? "99+" : countSoFar(number, now.more)}
          size={16}
          offset={5}
          color={running > 0 ? "indigo" : "gray.7"}
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
        title="Running and queued operations"
        padding={0}
        styles={{ header: { padding: "12px 16px" }, title: { fontWeight: 600 } }}
      >
        <ActiveList now={now} onLeave={close} />
      </Drawer>
    </>
  );
}

function labelOf({ operations, asking, more }: ActiveNow): string {
  if (operations.length > 0) return `Operations: ${activeWords(countActive(operations), more)}`;
  return asking ? "Asking what runs…" : "Nothing runs";
}

function ActiveList({ now, onLeave }: { now: ActiveNow; onLeave: () => void }) {
  const { operations, asking, more } = now;
  if (operations.length === 0 && asking) {
    return (
      <div className={classes.asking}>
        <Waiting what="Asking what runs…" />
      </div>
    );
  }
  if (operations.length === 0) {
    return (
      <EmptyState
        icon={<IconProgress size={32} stroke={1.4} aria-hidden />}
        sentence="Nothing runs at the moment. What ended is listed in Activity."
        action={
          <ButtonLink to="/activity" variant="default" onClick={onLeave}>
            Open Activity
          </ButtonLink>
        }
      />
    );
  }
  const running = operations.filter(isRunning);
  const queued = operations.filter((operation) => !isRunning(operation));
  const shown = [...running, ...queued].slice(0, MOST_SHOWN);
  const rest = operations.length - shown.length;
  return (
    <>
      {shown.map((operation, place) => (
        <div key={operation.id} className={classes.item}>
          <OperationLine operation={operation} onOpen={onLeave} />
          {isRunning(operation) && place < MOST_FOLLOWED && <LastLine id={operation.id} />}
        </div>
      ))}
      {rest > 0 && (
        <Text size="sm" p="md" className={classes.item}>
          and {countSoFar(rest, more)} more, in{" "}
          <TextLink to="/activity" size="sm" underline="always" onClick={onLeave}>
            Activity
          </TextLink>
        </Text>
      )}
    </>
  );
}
