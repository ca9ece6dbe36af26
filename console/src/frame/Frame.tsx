// What stands around every page: navigation, head, live state, palette, keys.
import { ActionIcon, AppShell, Burger, Group, Tooltip, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { spotlight } from "@mantine/spotlight";
import { IconKeyboard, IconSearch } from "@tabler/icons-react";
import { Link, Outlet, useLocation, useRouter } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useSession } from "../api/session";
import { useLiveConnection } from "../api/use-live";
import { TransferTray } from "../transfers/TransferTray";
import classes from "./Frame.module.css";
import { KeysHelp } from "./KeysHelp";
import { LiveBanner } from "./LiveBanner";
import { LiveIndicator } from "./LiveIndicator";
import { Mark } from "./Mark";
import { Navigation } from "./Navigation";
import { Palette } from "./Palette";
import { RunningButton } from "./RunningDrawer";
import { SchemeSwitch } from "./SchemeSwitch";
import { UserMenu } from "./UserMenu";
import { useKeys } from "./use-keys";

export function Frame() {
  useLiveConnection();
  useLeaveWhenSignedOut();
  const [menu, { toggle: toggleMenu, close: closeMenu }] = useDisclosure(false);
  const [help, { open: openHelp, close: closeHelp }] = useDisclosure(false);
  const main = useFocusOnNavigation(closeMenu);
  useKeys(openHelp);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 208, breakpoint: "sm", collapsed: { mobile: !menu } }}
      padding={0}
    >
      <a className={classes.skip} href="#main">
        Skip to the page
      </a>
      <AppShell.Header className={classes.header}>
        <Group h="100%" px="md" gap="xs" wrap="nowrap">
          <Burger
            opened={menu}
            onClick={toggleMenu}
            hiddenFrom="sm"
            size="sm"
            aria-label={menu ? "Close the menu" : "Open the menu"}
          />
          <Link to="/" className={classes.brand} aria-label="Longshore, to the dashboard">
            <Mark size={26} />
            <span className={classes.name}>Longshore</span>
          </Link>
          <UnstyledButton className={classes.search} onClick={spotlight.open}>
            <IconSearch size={15} aria-hidden />
            <span>Go anywhere, run anything</span>
            <kbd className={classes.keys}>Ctrl K</kbd>
          </UnstyledButton>
          <Group gap={4} ml="auto" wrap="nowrap">
            <ActionIcon
              hiddenFrom="sm"
              variant="subtle"
              color="gray"
              size={34}
              aria-label="Search and commands"
              onClick={spotlight.open}
            >
              <IconSearch size={18} aria-hidden />
            </ActionIcon>
            <LiveIndicator />
            <RunningButton />
            <Tooltip label="Keyboard shortcuts (?)">
              <ActionIcon
                visibleFrom="sm"
                variant="subtle"
                color="gray"
                size={34}
                aria-label="Keyboard shortcuts"
                onClick={openHelp}
              >
                <IconKeyboard size={18} aria-hidden />
              </ActionIcon>
            </Tooltip>
            <SchemeSwitch />
            <UserMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} data-opened={menu}>
        <Navigation onChoose={closeMenu} />
      </AppShell.Navbar>
      <AppShell.Main className={classes.main}>
        <LiveBanner />
        <div ref={main} id="main" tabIndex={-1} className={classes.page}>
          <Outlet />
        </div>
      </AppShell.Main>
      <TransferTray />
      <Palette openHelp={openHelp} />
      <KeysHelp opened={help} onClose={closeHelp} />
    </AppShell>
  );
}

function useLeaveWhenSignedOut(): void {
  const router = useRouter();
  const session = useSession();
  useEffect(() => {
    if (session === null) void router.invalidate();
  }, [session, router]);
}

// A screen reader and the keyboard start at the new page, not at the old link.
function useFocusOnNavigation(arrived: () => void) {
  const { pathname } = useLocation();
  const main = useRef<HTMLDivElement>(null);
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    arrived();
    main.current?.focus({ preventScroll: true });
  }, [pathname, arrived]);
  return main;
}
