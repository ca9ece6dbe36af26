// The sections. A count stands only where something runs.
import { Link, useLocation } from "@tanstack/react-router";
import { useActiveOperations } from "../api/use-live";
import classes from "./Navigation.module.css";
import { SECTIONS, type Section } from "./sections";

// Pages that belong to a section, and are not at an address below it.
const WITHIN = [
  { path: "/buckets/", to: "/files" },
  { path: "/new-sync", to: "/syncs" },
] as const;

export function Navigation({ onChoose }: { onChoose: () => void }) {
  const active = useActiveOperations();
  const within = useLocation({
    select: ({ pathname }) => WITHIN.find(({ path }) => pathname.startsWith(path))?.to ?? null,
  });
  const bundles = active.filter((operation) => operation.kind.startsWith("bundle")).length;
  const syncs = active.filter((operation) => operation.kind.startsWith("sync-")).length;
  const counts: Partial<Record<Section["to"], number>> = {
    "/bundles": bundles,
    "/syncs": syncs,
    "/activity": active.length,
  };
  return (
    <nav className={classes.nav} aria-label="Sections">
      {SECTIONS.map(({ name, to, key, Icon }) => {
        const running = counts[to] ?? 0;
        return (
          <Link
            key={to}
            to={to}
            className={classes.link}
            activeOptions={{ exact: to === "/", includeSearch: false }}
            onClick={onChoose}
            title={`Keys: g ${key}`}
            {...(within === to ? { "data-status": "active" } : {})}
          >
            <Icon size={18} stroke={1.7} aria-hidden />
            <span className={classes.name}>{name}</span>
            {running > 0 && (
              <span className={classes.count}>
                {running}
                <span className={classes.word}> running</span>
              </span>
            )}
          </Link>
        );
      })}
    </nav>
  );
}
