// The head that every page has, and its place in the browser's history.
import { Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

interface PageProps {
  title: string;
  /** Above the title: where this page hangs. */
  trail?: ReactNode;
  beside?: ReactNode;
  actions?: ReactNode;
  lead?: string;
  children: ReactNode;
}

export function Page({ title, trail, beside, actions, lead, children }: PageProps) {
  usePageTitle(title);
  return (
    <Stack gap="lg">
      <Stack gap={4}>
        {trail}
        {/* As high as a button, so that one that comes or goes moves nothing. */}
        <Group justify="space-between" align="center" gap="sm" mih={36}>
          <Group gap="sm" miw={0} maw="100%">
            <Title order={1} style={{ overflowWrap: "anywhere" }}>
              {title}
            </Title>
            {beside}
          </Group>
          {actions && <Group gap="xs">{actions}</Group>}
        </Group>
        {lead && (
          <Text c="dimmed" size="sm" maw={720}>
            {lead}
          </Text>
        )}
      </Stack>
      {children}
    </Stack>
  );
}

export function usePageTitle(title: string): void {
  useEffect(() => {
    const before = document.title;
    const mine = `${title} · Longshore`;
    document.title = mine;
    return () => {
      // A drawer that closes gives the page beneath its name back; a page that follows
      // has set its own.
      if (document.title === mine) document.title = before;
    };
  }, [title]);
}
