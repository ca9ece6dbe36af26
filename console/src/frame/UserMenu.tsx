// Who is logged in, and the way out.
import { Avatar, Menu, Text, UnstyledButton } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconKey, IconLogout, IconUser } from "@tabler/icons-react";
import { asProblem } from "../api/problem";
import { logOut, useSession } from "../api/session";
import { MenuLink } from "../components/links";
import classes from "./UserMenu.module.css";

export async function leave(): Promise<void> {
  try {
    await logOut();
  } catch (error) {
    notifications.show({
      color: "red",
      title: "Logging out failed",
      message: asProblem(error).message,
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
