// How it came to its state, step by step, with the reasons.
import { Group, Title } from "@mantine/core";
import type { Transition } from "../../api/types";
import { StateBadge } from "../../components/StateBadge";
import { Ago } from "../../components/Times";
import classes from "./Operation.module.css";

export function OperationTransitions({ transitions }: { transitions: Transition[] }) {
  if (transitions.length === 0) return null;
  return (
    <section aria-labelledby="transitions">
      <Title order={2} id="transitions" mb="xs">
        Course
      </Title>
      <ol className={classes.transitions}>
        {transitions.map(({ at, state, reason }) => (
          <li key={`${at} ${state}`}>
            <Group gap="xs">
              <StateBadge alone state={state} />
              <Ago time={at} />
            </Group>
            {reason && <div className={classes.reason}>{reason}</div>}
          </li>
        ))}
      </ol>
    </section>
  );
}
