// Mantine's looks with the router's typed addresses.
import { Anchor, Button, type ButtonProps, Menu } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { ComponentPropsWithRef } from "react";

type AnchorProps = ButtonProps & Omit<ComponentPropsWithRef<"a">, keyof ButtonProps>;

// A link by its nature, too: it opens in a new tab, and is announced as what it is.
function AnchorButton(props: AnchorProps) {
  return <Button component="a" {...props} />;
}

export const TextLink = createLink(Anchor<"a">);
export const ButtonLink = createLink(AnchorButton);
export const MenuLink = createLink(Menu.Item<"a">);
