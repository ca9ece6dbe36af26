// The sections. A count stands only where something runs, waits or failed.
import { IconClock, IconX } from "@tabler/icons-react";
import { Link, useLocation } from "@tanstack/react-router";
import { useActiveOperations } from "../api/use-live";
import { count, counted, countSoFar } from "../format/numbers";
import { type ActiveCounts, activeWords, countActive } from "./active-words";
import classes from "./Navigation.module.css";
import { SECTIONS, type Section } from "./sections";
import { useUnseenFailures } from "./use-unseen-failures";

// Pages that belong to a section, and are not at an address below it.
const WITHIN = [
  { path: "/buckets/", to: "/files" },
  { path: "/new-sync", to: "/syncs" },
] as const;

export function Navigation({ onChoose }: { onChoose: () => void }) {
  const { operations, more } = useActiveOperations();
  const failed = useUnseenFailures();
  const within = useLocation({
    select: ({ pathname }) => WITHIN.find(({ path }) => pathname.startsWith(path))?.to ?? null,
  });
  const ofKind = (kind: string) =>
    countActive(operations.filter((operation) => operation.kind.startsWith(kind)));
  const counts: Partial<Record<Section["to"], ActiveCounts>> = {
    "/bundles": ofKind("bundle"),
    "/syncs": ofKind("sync-"),
    "/activity": countActive(operations),
  };
  return (
    <nav className={classes.nav} aria-label="Sections">
      {SECTIONS.map(({ name, to, key, Icon }) => {
        const active = counts[to];
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
            {to === "/activity" && failed > 0 && (
              <Count of="failed" value={count(failed)} words={counted(failed, "new failure")} />
            )}
            {active && active.running > 0 ? (
              <Count
                of="running"
                value={countSoFar(active.running, more)}
                words={activeWords(active, more)}
              />
            ) : active && active.queued > 0 ? (
              <Count
                of="queued"
                value={countSoFar(active.queued, more)}
                words={activeWords(active, more)}
              />
            ) : null}
          </Link>
        );
      })}
    </nav>
  );
}

interface CountProps {
  of: "running" | "queued" | "failed";
  value: string;
  /** The whole of it, which has no room there. */
  words: string;
}

function Count({ of, value, words }: CountProps) {
  return (
    <span className={classes.count} data-of={of} title={words}>
      {of === "queued" && <IconClock size={11} stroke={2.4} aria-hidden />}
      {of === "failed" && <IconX size={11} stroke={2.4} aria-hidden />}
      <span aria-hidden>{value}</span>
      <span className={classes.word}> {words}</span>
    </span>
  );
}
