// How passes went: charts over them, and a timeline in which each is a link.
import { Group, Text } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCheck,
  IconMinus,
  IconPlayerPlay,
  IconPlugConnectedX,
  IconX,
} from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { passPages } from "../../api/syncs";
import type { Pass, SyncShown } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { TextLink } from "../../components/links";
import { Ago, Took } from "../../components/Times";
import { useNow } from "../../components/use-now";
import { bytes, bytesPerSecond } from "../../format/numbers";
import { fullTime } from "../../format/times";
import { Loaded } from "../settings/Panel";
import { PassCharts } from "./PassCharts";
import { daysOf, endOf, endWords, rateOf } from "./passes";
import classes from "./Syncs.module.css";

export function Passes({ sync }: { sync: SyncShown }) {
  const query = useInfiniteQuery(passPages(sync.name));
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const passes = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  return (
    <div className={classes.stack}>
      <Loaded query={query} what="its passes">
        {() =>
          passes.length === 0 ? (
            <Text size="sm">
              It has not run yet.{" "}
              {sync.paused
                ? "It is paused: once it is resumed, its passes are listed here."
                : "What a pass delivers, and how fast, is shown here; Run now makes the first."}
            </Text>
          ) : (
            <>
              <PassCharts sync={sync.name} passes={passes} />
              <Timeline passes={passes} />
            </>
          )
        }
      </Loaded>
      <Group gap="sm">
        {hasNextPage && (
          <ActButton
            size="xs"
            variant="default"
            busy={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            {isFetchingNextPage ? "Reading older passes…" : "Show older passes"}
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

function Timeline({ passes }: { passes: readonly Pass[] }) {
  const now = useNow();
  return (
    <ol className={`card ${classes.list}`} aria-label="Timeline">
      {daysOf(passes, now).map(({ name, passes }) => (
        <li key={name} className={classes.day}>
          <Text component="h2" size="sm" fw={600} className={classes.dayName}>
            {name}
          </Text>
          <ol className={classes.list} aria-label={`Passes of ${name}`}>
            {passes.map((pass) => (
              <PassRow key={pass.id} pass={pass} />
            ))}
          </ol>
        </li>
      ))}
    </ol>
  );
}

const ENDS = {
  running: { word: "Running", Icon: IconPlayerPlay },
  cut: { word: "Cut off", Icon: IconPlugConnectedX },
  broken: { word: "Failed", Icon: IconX },
  failed: { word: "With failures", Icon: IconAlertTriangle },
  done: { word: "Done", Icon: IconCheck },
  nothing: { word: "Nothing to do", Icon: IconMinus },
} as const;

function PassRow({ pass }: { pass: Pass }) {
  const { id, started_at, ended_at, failure, bytes: sent } = pass;
  const end = endOf(pass);
  const { word, Icon } = ENDS[end];
  const went = end === "failed" || end === "broken" ? "var(--mantine-color-error)" : undefined;
  const rate = rateOf(pass);
  return (
    <li className={classes.pass} data-end={end}>
      <span className={classes.mark} title={word}>
        <Icon size={14} stroke={2.4} role="img" aria-label={word} />
      </span>
      <div className={classes.what}>
        <TextLink to="/operations/$id" params={{ id }} size="sm" underline="hover">
          {fullTime(started_at)}
        </TextLink>
        <Text size="xs" c="dimmed" className="figures">
          <Ago time={started_at} />
          {end !== "cut" && (
            <>
              {ended_at ? " · took " : " · for "}
              <Took from={started_at} to={ended_at ?? null} />
            </>
          )}
          {sent > 0 && ` · ${bytes(sent)}`}
          {rate !== null && ` (${bytesPerSecond(rate)})`}
        </Text>
        {failure && (
          <Text size="sm" c={went} className={classes.name}>
            {failure}
          </Text>
        )}
      </div>
      <Text size="sm" c={went}>
        {endWords(pass)}
      </Text>
    </li>
  );
}
