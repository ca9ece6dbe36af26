// Waiting, in words: what is happening, and after ten seconds why it may be slow.
import { Group, Loader, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";

const SLOW_MS = 10_000;
// Sooner than this words would only flicker.
const UNSEEN_MS = 150;

export function Waiting({ what, slow }: { what: string; slow?: string }) {
  const [since, setSince] = useState<"new" | "shown" | "slow">("new");
  useEffect(() => {
    const shown = setTimeout(() => setSince("shown"), UNSEEN_MS);
    const late = setTimeout(() => setSince("slow"), SLOW_MS);
    return () => {
      clearTimeout(shown);
      clearTimeout(late);
    };
  }, []);
  if (since === "new") return <div style={{ minHeight: 64 }} />;
  return (
    <Stack role="status" gap={4} py="md" mih={64}>
      <Group gap="xs">
        <Loader size={16} aria-hidden />
        <Text size="sm">{what}</Text>
      </Group>
      {since === "slow" && (
        <Text size="sm" c="dimmed">
          {slow ?? "The server is slow to answer or the connection is weak. Reload to ask again."}
        </Text>
      )}
    </Stack>
  );
}
