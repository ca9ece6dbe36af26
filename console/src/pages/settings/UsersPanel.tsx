// Who may use this server, and as what.
import { Button, Group, Select, Text } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { queryClient } from "../../api/query-client";
import { useSession } from "../../api/session";
import { userList } from "../../api/settings";
import type { Role, User } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { confirmDestruction } from "../../components/confirm";
import { ErrorPanel } from "../../components/ErrorPanel";
import { NewUserForm } from "./NewUserForm";
import { Loaded, Panel } from "./Panel";
import { PasswordForm } from "./PasswordForm";
import { ROLES } from "./roles";
import classes from "./Settings.module.css";
import { UserSessions } from "./UserSessions";

export function UsersPanel() {
  const query = useQuery(userList);
  return (
    <Panel
      title="Users"
      lead="Admins do everything, operators make and cancel things, viewers watch."
    >
      <NewUserForm />
      <Loaded query={query} what="the users">
        {({ items }) => (
          <div className="card">
            {items.map((user) => (
              <UserRow key={user.name} user={user} />
            ))}
          </div>
        )}
      </Loaded>
    </Panel>
  );
}

type Unfolded = "sessions" | "password" | null;

function UserRow({ user }: { user: User }) {
  const session = useSession();
  const [unfolded, setUnfolded] = useState<Unfolded>(null);
  const self = session?.user.name === user.name;
  const params = { path: { name: user.name } };
  const reread = () => queryClient.invalidateQueries({ queryKey: userList.queryKey });
  const changing = useMutation({
    mutationFn: (role: Role) => api.PATCH("/api/v1/users/{name}", { params, body: { role } }),
    onSettled: reread,
  });
  const deleting = useMutation({
    mutationFn: () => api.DELETE("/api/v1/users/{name}", { params }),
    onSuccess: reread,
  });
  const toggle = (what: Unfolded) => setUnfolded(unfolded === what ? null : what);
  const error = changing.error ?? deleting.error;
  return (
    <div className={classes.row}>
      <div style={{ minWidth: 0 }}>
        <Text fw={600} className="ellipsis">
          {user.name}
          {self && (
            <Text span c="dimmed" fw={400}>
              {" "}
              (you)
            </Text>
          )}
        </Text>
      </div>
      <Group gap="xs">
        <Select
          w={120}
          size="xs"
          aria-label={`Role of ${user.name}`}
          allowDeselect={false}
          data={ROLES}
          value={user.role}
          disabled={self}
          aria-busy={changing.isPending}
          onChange={(role) => {
            if (role && role !== user.role && !changing.isPending) changing.mutate(role as Role);
          }}
        />
        {changing.isPending && (
          <Text size="sm" c="dimmed" role="status">
            Changing…
          </Text>
        )}
        <Button
          size="xs"
          variant="default"
          aria-expanded={unfolded === "password"}
          onClick={() => toggle("password")}
        >
          Password
        </Button>
        <Button
          size="xs"
          variant="default"
          aria-expanded={unfolded === "sessions"}
          onClick={() => toggle("sessions")}
        >
          Sessions
        </Button>
        {!self && (
          <ActButton
            size="xs"
            variant="default"
            busy={deleting.isPending}
            onClick={() =>
              confirmDestruction({
                action: `Delete ${user.name}`,
                consequences: [
                  "Their sessions and API tokens end at once.",
                  "What they did stays in Activity under their name.",
                ],
                onConfirm: () => deleting.mutate(),
              })
            }
          >
            {deleting.isPending ? "Deleting…" : "Delete"}
          </ActButton>
        )}
      </Group>
      {unfolded === "sessions" && (
        <div className={classes.sessions}>
          <UserSessions name={user.name} />
        </div>
      )}
      {unfolded === "password" && (
        <div className={classes.sessions}>
          <PasswordForm name={user.name} self={self} onDone={() => setUnfolded(null)} />
        </div>
      )}
      {error && (
        <div className={classes.wide}>
          <ErrorPanel
            title={`${user.name} was not changed`}
            error={error}
            onDismiss={() => {
              changing.reset();
              deleting.reset();
            }}
          />
        </div>
      )}
    </div>
  );
}
