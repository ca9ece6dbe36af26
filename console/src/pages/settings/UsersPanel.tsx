// Who may use this server, and as what.
import { Button, Select, Text } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../../api/client";
import { useSession } from "../../api/session";
import { userList } from "../../api/settings";
import type { Role, User } from "../../api/types";
import { NewUserForm } from "./NewUserForm";
import { Panel } from "./Panel";
import { DeleteButton, ListRow, PanelList, useChange } from "./PanelList";
import { PasswordForm } from "./PasswordForm";
import { ROLES, roleWord } from "./roles";
import { UserSessions } from "./UserSessions";

// Never seen: whoever reads the list is in it.
const NOTHING = { Icon: IconUsers, sentence: "There is no user." };

export function UsersPanel() {
  const query = useQuery(userList);
  return (
    <Panel
      title="Users"
      lead="Admins do everything, operators make and cancel things, viewers watch."
    >
      <NewUserForm />
      <PanelList query={query} what="the users" empty={NOTHING}>
        {(user) => <UserRow key={user.name} user={user} />}
      </PanelList>
    </Panel>
  );
}

const UNFOLDED = { password: "Password", sessions: "Sessions" } as const;
type Unfolded = keyof typeof UNFOLDED;

function UserRow({ user: { name, role } }: { user: User }) {
  const self = useSession()?.user.name === name;
  const [unfolded, setUnfolded] = useState<Unfolded | null>(null);
  const params = { path: { name } };
  const changing = useChange({
    change: (role: Role) => api.PATCH("/api/v1/users/{name}", { params, body: { role } }),
    list: userList,
  });
  const deleting = useChange({
    change: () => api.DELETE("/api/v1/users/{name}", { params }),
    list: userList,
  });
  const unfold = (what: Unfolded) => (
    <Button
      key={what}
      size="xs"
      variant="default"
      aria-expanded={unfolded === what}
      onClick={() => setUnfolded(unfolded === what ? null : what)}
    >
      {UNFOLDED[what]}
    </Button>
  );
  return (
    <ListRow
      name={self ? <Self name={name} /> : name}
      beside={
        self ? (
          <Text size="sm" c="dimmed" title="Only another admin can change your role">
            {roleWord(role)}
          </Text>
        ) : (
          <RoleChoice
            name={name}
            role={role}
            changing={changing.isPending}
            onChoose={changing.mutate}
          />
        )
      }
      actions={
        <>
          {unfold("password")}
          {unfold("sessions")}
          {!self && (
            <DeleteButton
              name={name}
              deleting={deleting}
              consequences={[
                "Their sessions and API tokens end at once.",
                "What they did stays in Activity under their name.",
              ]}
            />
          )}
        </>
      }
      unfolded={
        unfolded === "sessions" ? (
          <UserSessions name={name} />
        ) : (
          unfolded === "password" && (
            <PasswordForm bare name={name} self={self} onDone={() => setUnfolded(null)} />
          )
        )
      }
      failure={{ title: `${name} was not changed`, of: [changing, deleting] }}
    />
  );
}

function Self({ name }: { name: string }) {
  return (
    <>
      {name}{" "}
      <Text span c="dimmed" fw={400}>
        (you)
      </Text>
    </>
  );
}

interface RoleChoiceProps {
  name: string;
  role: Role;
  changing: boolean;
  onChoose: (role: Role) => void;
}

function RoleChoice({ name, role, changing, onChoose }: RoleChoiceProps) {
  return (
    <>
      {changing && (
        <Text size="sm" c="dimmed" role="status">
          Changing…
        </Text>
      )}
      <Select
        w={120}
        size="xs"
        aria-label={`Role of ${name}`}
        allowDeselect={false}
        data={ROLES}
        value={role}
        aria-busy={changing}
        onChange={(chosen) => {
          if (chosen && chosen !== role && !changing) onChoose(chosen as Role);
        }}
      />
    </>
  );
}
