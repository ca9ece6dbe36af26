// Everything about one operation, on its page or in a drawer.
import { Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { isActive } from "../../api/feed";
import { operationQuery } from "../../api/operations";
import type { OperationDetail } from "../../api/types";
import { useOperationChanges } from "../../api/use-live";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ButtonLink } from "../../components/links";
import { usePageTitle } from "../../components/Page";
import { ProgressBar } from "../../components/ProgressBar";
import { StateBadge } from "../../components/StateBadge";
import { Waiting } from "../../components/Waiting";
import { percent } from "../../format/numbers";
import { progressWords } from "../../format/progress";
import { LogView } from "../../log/LogView";
import { OperationActions } from "./OperationActions";
import { OperationChildren } from "./OperationChildren";
import { OperationFacts } from "./OperationFacts";
import { OperationTransitions } from "./OperationTransitions";

export function OperationView({ id, level }: { id: string; level: 1 | 2 }) {
  const { data: operation, error, refetch } = useQuery(operationQuery(id));
  // Transitions come with the whole operation, so a new state asks for it again.
  useOperationChanges(
    (change) => {
      if (change.id === id && change.state !== operation?.state) void refetch();
    },
    () => void refetch(),
  );
  if (operation) return <Shown operation={operation} level={level} />;
  if (error) {
    return <ErrorPanel title="This operation could not be read" error={error} onRetry={refetch} />;
  }
  return <Waiting what="Reading the operation…" />;
}

function Shown({ operation, level }: { operation: OperationDetail; level: 1 | 2 }) {
  usePageTitle(operation.title);
  const target = useLineInAddress();
  const { progress, error } = operation;
  return (
    <Stack gap="lg">
      <Group justify="space-between" gap="sm" align="flex-start">
        <Group gap="sm" style={{ flex: "1 1 280px" }}>
          <Title order={level} style={{ overflowWrap: "anywhere" }}>
            {operation.title}
          </Title>
          <StateBadge state={operation.state} />
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
            {progressWords(progress)}
          </Text>
        </div>
      )}
      <OperationFacts operation={operation} />
      <OperationTransitions transitions={operation.transitions} />
      <OperationChildren parent={operation.id} />
      <LogView operation={operation} target={target} />
    </Stack>
  );
}

function useLineInAddress(): number | null {
  const { hash } = useLocation();
  const line = /^L(\d{1,12})$/.exec(hash)?.[1];
  return line ? Number(line) : null;
}
