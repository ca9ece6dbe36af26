// Everything about one operation, on its page or in a drawer.
import { Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { isActive } from "../../api/feed";
import { operationQuery } from "../../api/operations";
import type { Operation, OperationDetail } from "../../api/types";
import { useOperationChanges } from "../../api/use-live";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ButtonLink } from "../../components/links";
import { usePageTitle } from "../../components/Page";
import { ProgressBar } from "../../components/ProgressBar";
import { StateBadge } from "../../components/StateBadge";
import { Waiting } from "../../components/Waiting";
import { percent } from "../../format/numbers";
import { paceWords } from "../../format/progress";
import { LogView } from "../../log/LogView";
import { OperationActions } from "./OperationActions";
import { OperationChildren } from "./OperationChildren";
import { OperationFacts } from "./OperationFacts";
import { OperationTransitions } from "./OperationTransitions";

export function OperationView({ id, level }: { id: string; level: 1 | 2 }) {
  // A log is opened at its end, and what was read earlier does not know where that is.
  const query = useQuery({ ...operationQuery(id), refetchOnMount: "always" });
  const { data: operation, error, refetch } = query;
  // Transitions come with the whole operation, so a new one asks for it again.
  useOperationChanges(
    (change) => {
      if (change.id === id && (!operation || hasMovedOn(operation, change))) void refetch();
    },
    () => void refetch(),
  );
  if (!operation) {
    if (!error) return <Waiting what="Reading the operation…" />;
    return (
      <Stack gap="sm">
        <Title order={level} size="h2">
          Operation
        </Title>
        <ErrorPanel title="This operation could not be read" error={error} onRetry={refetch} />
      </Stack>
    );
  }
  return (
    <>
      {error && (
        <ErrorPanel
          title="This may be out of date: it could not be read again"
          error={error}
          onRetry={refetch}
        />
      )}
      <Shown operation={operation} level={level} fresh={query.isFetchedAfterMount} />
    </>
  );
}

// Back in the queue and running again may be told in one change: then the attempt tells.
function hasMovedOn(known: OperationDetail, change: Operation): boolean {
  return known.state !== change.state || known.attempt !== change.attempt;
}

interface ShownProps {
  operation: OperationDetail;
  level: 1 | 2;
  /** It was read since this page was opened. */
  fresh: boolean;
}

function Shown({ operation, level, fresh }: ShownProps) {
  usePageTitle(operation.title);
  const target = useLineInAddress();
  const { progress, error } = operation;
  return (
    <Stack gap="lg">
      <Group justify="space-between" gap="sm" align="flex-start">
        <Group gap="sm" miw={0} maw="100%">
          <Title order={level} style={{ overflowWrap: "anywhere" }}>
            {operation.title}
          </Title>
          <StateBadge alone state={operation.state} />
        </Group>
        <Group gap="xs">
          {operation.kind === "bundle" && (
            <ButtonLink to="/bundles/$id" params={{ id: operation.id }} variant="default">
              Open the bundle
            </ButtonLink>
          )}
          <OperationActions operation={operation} />
        </Group>
      </Group>
      {error && (
        <ErrorPanel
          title={operation.state === "failed" ? "It failed" : "It ended early"}
          error={new Error(`${error.message} (${error.code})`)}
        />
      )}
      {progress && isActive(operation) && (
        <div>
          <ProgressBar
            active
            percent={percent(progress.done, progress.total)}
            label={`Progress of ${operation.title}`}
          />
          <Text size="sm" c="dimmed" mt={6} className="figures">
            {paceWords(progress)}
          </Text>
        </div>
      )}
      <OperationFacts operation={operation} />
      <OperationTransitions transitions={operation.transitions} />
      <OperationChildren parent={operation.id} />
      {fresh ? (
        <LogView operation={operation} target={target} />
      ) : (
        <Waiting what="Reading the log…" />
      )}
    </Stack>
  );
}

function useLineInAddress(): number | null {
  const { hash } = useLocation();
  const line = /^L(\d{1,12})$/.exec(hash)?.[1];
  return line ? Number(line) : null;
}
