// Mantine's looks with the router's typed addresses.
import { Anchor, Button, Menu } from "@mantine/core";
import { createLink } from "@tanstack/react-router";

export const TextLink = createLink(Anchor<"a">);
export const ButtonLink = createLink(Button<"a">);
export const MenuLink = createLink(Menu.Item<"a">);
