// One's own account: the password, and where one is logged in.
import { Text, Title } from "@mantine/core";
import { useState } from "react";
import { useSession } from "../../api/session";
import { Panel } from "./Panel";
import { PasswordForm } from "./PasswordForm";
import classes from "./Settings.module.css";
import { UserSessions } from "./UserSessions";

export function AccountPanel() {
  const session = useSession();
  const [changed, setChanged] = useState(false);
  if (!session) return null;
  const { name, role } = session.user;
  return (
    <Panel title="Account" lead={`You are logged in as ${name}, with the role ${role}.`}>
      <section aria-labelledby="password">
        <Title order={3} id="password" mb="xs">
          Password
        </Title>
        <PasswordForm name={name} self onDone={() => setChanged(true)} />
        {changed && (
          <Text size="sm" mt="xs" role="status">
            The password is changed.
          </Text>
        )}
      </section>
      <section aria-labelledby="sessions">
        <Title order={3} id="sessions" mb="xs">
          Sessions
        </Title>
        <div className={`card ${classes.own}`}>
          <UserSessions name={name} />
        </div>
      </section>
    </Panel>
  );
}
