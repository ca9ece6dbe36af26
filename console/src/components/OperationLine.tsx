// One operation in a short list: state, name, progress, how long.
import { Group, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Operation } from "../api/types";
import { actorName } from "../format/actor";
import { percent } from "../format/numbers";
import { progressWords } from "../format/progress";
import classes from "./OperationLine.module.css";
import { ProgressBar } from "./ProgressBar";
import { StateBadge } from "./StateBadge";
import { Ago, Took } from "./Times";

interface OperationLineProps {
  operation: Operation;
  onOpen?: () => void;
}

export function OperationLine({ operation, onOpen }: OperationLineProps) {
  const { progress, state } = operation;
  const moving = state === "running" && progress !== null && progress !== undefined;
  return (
    <div className={classes.around}>
      <div className={classes.line}>
        <StateBadge state={state} />
        <div className={classes.middle}>
          <Link
            className={classes.title}
            to="/operations/$id"
            params={{ id: operation.id }}
            onClick={onOpen}
          >
            {operation.title}
          </Link>
          {moving ? (
            <Group gap="xs" wrap="nowrap">
              <div className={classes.bar}>
                <ProgressBar
                  size={5}
                  active
                  percent={percent(progress.done, progress.total)}
                  label={`Progress of ${operation.title}`}
                />
              </div>
              <Text size="xs" c="dimmed" className="ellipsis figures">
                {progressWords(progress)}
              </Text>
            </Group>
          ) : (
            <Text size="xs" c="dimmed" className="ellipsis">
              {operation.error?.message ?? `${operation.kind} by ${actorName(operation.actor)}`}
            </Text>
          )}
        </div>
        <div className={classes.time}>
          <Text size="sm" c="dimmed">
            {operation.ended_at ? (
              <Ago time={operation.ended_at} />
            ) : (
              <Took from={operation.started_at ?? operation.created_at} to={null} />
            )}
          </Text>
          {operation.ended_at && operation.started_at && (
            <Text size="xs" c="dimmed">
              took <Took from={operation.started_at} to={operation.ended_at} />
            </Text>
          )}
        </div>
      </div>
    </div>
  );
}
