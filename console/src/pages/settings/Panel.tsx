// What all panels begin with: a heading, one sentence; and waiting for what they show.
import { Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { ErrorPanel } from "../../components/ErrorPanel";
import { usePageTitle } from "../../components/Page";
import { Waiting } from "../../components/Waiting";

interface PanelProps {
  title: string;
  lead: string;
  children: ReactNode;
}

export function Panel({ title, lead, children }: PanelProps) {
  usePageTitle(title);
  return (
    <Stack gap="md">
      <div>
        <Title order={2}>{title}</Title>
        <Text size="sm" c="dimmed" maw={640}>
          {lead}
        </Text>
      </div>
      {children}
    </Stack>
  );
}

/** A query, as far as a panel looks at it. */
export interface Reading<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

interface LoadedProps<T> {
  query: Reading<T>;
  what: string;
  children: (data: T) => ReactNode;
}

export function Loaded<T>({ query, what, children }: LoadedProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) {
    return (
      <ErrorPanel title={`Reading ${what} failed`} error={query.error} onRetry={query.refetch} />
    );
  }
  return <Waiting what={`Reading ${what}…`} />;
}
