// How telling a webhook went: each operation that told it, the newest first, as it runs.
import { Group, Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { mergeIntoPages, operationPages } from "../../api/operations";
import { queryClient } from "../../api/query-client";
import type { Operation } from "../../api/types";
import { useOperationChanges } from "../../api/use-live";
import { useSteering } from "../../api/use-steering";
import { ActButton } from "../../components/ActButton";
import { CancelButton } from "../../components/CancelButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { TextLink } from "../../components/links";
import { OperationLine } from "../../components/OperationLine";
import { Loaded } from "../settings/Panel";

const SHOWN = 10;

export function Deliveries({ webhook }: { webhook: string }) {
  const subject = `webhook:${webhook}`;
  const options = operationPages({ kind: "webhook", subject, limit: SHOWN });
  const query = useInfiniteQuery(options);
  const reread = () => void queryClient.invalidateQueries({ queryKey: options.queryKey });
  useOperationChanges((operation) => {
    if (operation.subject !== subject) return;
    if (!mergeIntoPages(options.queryKey, operation)) reread();
  }, reread);
  return (
    <Loaded query={query} what="the deliveries">
      {({ pages }) => {
        const operations = pages.flatMap(({ items }) => items);
        if (operations.length === 0) {
          return (
            <Text size="sm" c="dimmed">
              It was told nothing yet: nothing has changed since it was made.
            </Text>
          );
        }
        return (
          <Stack gap="xs">
            {operations.map((operation) => (
              <Delivery key={operation.id} operation={operation} onAgain={reread} />
            ))}
            <Group gap="sm">
              {query.hasNextPage && (
                <ActButton
                  size="xs"
                  variant="default"
                  busy={query.isFetchingNextPage}
                  onClick={() => void query.fetchNextPage()}
                >
                  {query.isFetchingNextPage ? "Reading more…" : "Show more"}
                </ActButton>
              )}
              <TextLink to="/activity" search={{ subject }} size="sm" underline="always">
                All of them in Activity
              </TextLink>
            </Group>
          </Stack>
        );
      }}
    </Loaded>
  );
}

function Delivery({ operation, onAgain }: { operation: Operation; onAgain: () => void }) {
  const { cancelling, again, error, dismiss } = useSteering(operation.id, onAgain);
  return (
    <div>
      <OperationLine operation={operation} />
      <Group gap="xs" justify="flex-end">
        {operation.actions.includes("cancel") && (
          <CancelButton
            stopping={cancelling.isPending || operation.cancel_requested}
            onClick={() => cancelling.mutate()}
          />
        )}
        {operation.actions.includes("retry") && operation.state !== "succeeded" && (
          <ActButton
            size="xs"
            variant="default"
            busy={again.isPending}
            onClick={() => again.mutate()}
          >
            {again.isPending ? "Queuing…" : "Tell it again"}
          </ActButton>
        )}
      </Group>
      {error && <ErrorPanel title="That did not work" error={error} onDismiss={dismiss} />}
    </div>
  );
}
