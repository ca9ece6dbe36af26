// How passes went: small bars over time, the newest at the right, and a line for each.
import { Group, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { passPages } from "../../api/syncs";
import type { Pass, SyncShown } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { TextLink } from "../../components/links";
import { Ago, Took } from "../../components/Times";
import { bytes, bytesPerSecond, count } from "../../format/numbers";
import { fullTime } from "../../format/times";
import { Loaded } from "../settings/Panel";
import { heights, tallyWords } from "./passes";
import classes from "./Syncs.module.css";

const BARS = 40;

export function Passes({ sync }: { sync: SyncShown }) {
  const query = useInfiniteQuery(passPages(sync.name));
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  return (
    <div className={classes.stack}>
      <Loaded query={query} what="its passes">
        {({ pages }) => {
          const passes = pages.flatMap(({ items }) => items);
          if (passes.length === 0) return <Text size="sm">It has not run yet.</Text>;
          return (
            <>
              <Bars passes={passes.slice(0, BARS)} />
              <ul className={`card ${classes.list}`} aria-label="Passes">
                {passes.map((pass) => (
                  <PassRow key={pass.id} pass={pass} />
                ))}
              </ul>
            </>
          );
        }}
      </Loaded>
      <Group gap="sm">
        {hasNextPage && (
          <ActButton
            size="xs"
            variant="default"
            busy={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            {isFetchingNextPage ? "Reading more…" : "Show more"}
          </ActButton>
        )}
        <TextLink
          to="/activity"
          search={{ subject: `sync:${sync.name}` }}
          size="sm"
          underline="always"
        >
          All of its operations in Activity
        </TextLink>
      </Group>
    </div>
  );
}

function Bars({ passes }: { passes: readonly Pass[] }) {
  const most = Math.max(1, ...passes.map(({ delivered, failed }) => delivered + failed));
  return (
    <ol className={`card ${classes.bars}`} aria-label="Passes over time">
      {[...passes].reverse().map((pass) => {
        const { done, bad } = heights(pass, most);
        return (
          <li key={pass.id} className={classes.bar}>
            <Link
              to="/operations/$id"
              params={{ id: pass.id }}
              title={`${fullTime(pass.started_at)}: ${tallyWords(pass)}`}
              aria-label={`${fullTime(pass.started_at)}: ${tallyWords(pass)}`}
            >
              <span className={classes.bad} style={{ height: `${bad}%` }} />
              <span className={classes.done} style={{ height: `${done}%` }} />
            </Link>
          </li>
        );
      })}
    </ol>
  );
}

function PassRow({ pass }: { pass: Pass }) {
  const { id, started_at, ended_at, bytes: sent, failed } = pass;
  const seconds = ended_at ? (Date.parse(ended_at) - Date.parse(started_at)) / 1000 : 0;
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <TextLink to="/operations/$id" params={{ id }} size="sm" underline="hover">
          {fullTime(started_at)}
        </TextLink>
        <Text size="xs" c="dimmed" className="figures">
          <Ago time={started_at} /> · {ended_at ? "took " : "for "}
          <Took from={started_at} to={ended_at ?? null} /> · {bytes(sent)}
          {seconds > 0 && sent > 0 && ` (${bytesPerSecond(sent / seconds)})`}
        </Text>
      </div>
      <Text size="sm" c={failed > 0 ? "var(--mantine-color-error)" : undefined}>
        {failed > 0 ? `${count(failed)} failed, ` : ""}
        {tallyWords({ ...pass, failed: 0 })}
      </Text>
    </li>
  );
}
