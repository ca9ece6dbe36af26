// Where somebody is logged in, and ending it.
import { Group, Text } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { api } from "../../api/client";
import { queryClient } from "../../api/query-client";
import { userSessions } from "../../api/settings";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Ago } from "../../components/Times";
import { Loaded } from "./Panel";

export function UserSessions({ name }: { name: string }) {
  const options = userSessions(name);
  const query = useQuery(options);
  const ending = useMutation({
    mutationFn: (id: string) =>
      api.DELETE("/api/v1/users/{name}/sessions/{id}", { params: { path: { name, id } } }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: options.queryKey }),
  });
  return (
    <Loaded query={query} what="the sessions">
      {({ items }) => (
        <>
          {items.length === 0 && <Text size="sm">Not logged in anywhere.</Text>}
          {items.map((session) => (
            <Group key={session.id} justify="space-between" wrap="nowrap" py={4}>
              <Text size="sm">
                {session.address || "Unknown address"}, since <Ago time={session.created_at} />,
                used <Ago time={session.last_seen} />
                {session.current && " (this one)"}
              </Text>
              <ActButton
                size="compact-sm"
                variant="default"
                flex="none"
                aria-label={`End the session from ${session.address || "an unknown address"}`}
                busy={ending.isPending}
                onClick={() => ending.mutate(session.id)}
              >
                End
              </ActButton>
            </Group>
          ))}
          {ending.error && <ErrorPanel title="The session was not ended" error={ending.error} />}
        </>
      )}
    </Loaded>
  );
}
