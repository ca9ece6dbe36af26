// Who is logged in, and the way out.
import { Avatar, Menu, Text, UnstyledButton } from "@mantine/core";
import { modals } from "@mantine/modals";
import { IconKey, IconLogout, IconUser } from "@tabler/icons-react";
import { logOut, useSession } from "../api/session";
import { ErrorPanel } from "../components/ErrorPanel";
import { MenuLink } from "../components/links";
import classes from "./UserMenu.module.css";

const FAILED = "log-out-failed";

/** Logs out, from wherever that was asked for; what failed stays until it is dismissed. */
export async function leave(): Promise<void> {
  try {
    await logOut();
  } catch (error) {
    modals.open({
      modalId: FAILED,
      title: "Logging out failed",
      children: (
        <ErrorPanel
          title="You may still be logged in"
          error={error}
          onRetry={() => {
            modals.close(FAILED);
            void leave();
          }}
        />
      ),
    });
  }
}

export function UserMenu() {
  const session = useSession();
  if (!session) return null;
  const { name, role } = session.user;
  return (
    <Menu position="bottom-end" width={200}>
      <Menu.Target>
        <UnstyledButton className={classes.button} aria-label={`User menu of ${name}`}>
          <Avatar size={28} radius="xl" color="indigo" name={name} aria-hidden alt="" />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <MenuLink to="/settings/account" leftSection={<IconUser size={16} aria-hidden />}>
          <Text component="span" size="sm" fw={600} className="ellipsis">
            {name}
          </Text>{" "}
          <Text component="span" size="xs" c="dimmed">
            {role}
          </Text>
        </MenuLink>
        <Menu.Divider />
        <MenuLink to="/settings/tokens" leftSection={<IconKey size={16} aria-hidden />}>
          API tokens
        </MenuLink>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={leave}>
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
