// The settings, a panel for each subject. Only what this user may see is listed.
import { Outlet } from "@tanstack/react-router";
import { useMay } from "../../api/session";
import { TextLink } from "../../components/links";
import { Page } from "../../components/Page";
import classes from "./Settings.module.css";

const PANELS = [
  { to: "/settings/account", name: "Account", admin: false },
  { to: "/settings/users", name: "Users", admin: true },
  { to: "/settings/tokens", name: "API tokens", admin: false },
  { to: "/settings/access-keys", name: "Access keys", admin: false },
  { to: "/settings/secrets", name: "Secrets", admin: true },
  { to: "/settings/schedules", name: "Schedules", admin: false },
  { to: "/settings/audit", name: "Audit", admin: true },
  { to: "/settings/about", name: "About", admin: false },
] as const;

export function SettingsPage() {
  const admin = useMay("admin");
  return (
    <Page title="Settings">
      <div className={classes.layout}>
        <nav aria-label="Settings" className={classes.nav}>
          {PANELS.filter((panel) => admin || !panel.admin).map(({ to, name }) => (
            <TextLink key={to} to={to} className={classes.link} underline="never">
              {name}
            </TextLink>
          ))}
        </nav>
        <div className={classes.panel}>
          <Outlet />
        </div>
      </div>
    </Page>
  );
}
