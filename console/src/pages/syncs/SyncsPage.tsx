// Every sync: from where, to where, when, and whether something of it failed.
import { Badge, Group, Text } from "@mantine/core";
import { IconArrowsTransferUp } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMay } from "../../api/session";
import { pauseSync, runSync, syncList } from "../../api/syncs";
import type { SyncShown } from "../../api/types";
import { useOperationChanges } from "../../api/use-live";
import { ActButton } from "../../components/ActButton";
import { ButtonLink, TextLink } from "../../components/links";
import { Page } from "../../components/Page";
import { Ago, Until } from "../../components/Times";
import { WhyNot } from "../../components/WhyNot";
import { count, counted } from "../../format/numbers";
import { ListRow, PanelList, useChange } from "../settings/PanelList";
import settings from "../settings/Settings.module.css";
import { isLeft, scheduleWords, toGo, wayWords } from "./sync-words";

const NOTHING = {
  Icon: IconArrowsTransferUp,
  sentence:
    "Nothing is delivered from here yet. Say from where files come and which of them goes where.",
};

export function SyncsPage() {
  const query = useQuery(syncList);
  const mayMake = useMay("admin");
  const maySteer = useMay("operator");
  const reread = () => void query.refetch();
  useOperationChanges((operation) => {
    if (operation.ended_at && operation.subject?.startsWith("sync:")) reread();
  }, reread);
  const make = mayMake && <ButtonLink to="/new-sync">New sync</ButtonLink>;
  return (
    <Page
      title="Syncs"
      lead="What is delivered from where to where, each file exactly once."
      // Where there is none, the list says so, with the same link.
      actions={query.data?.items.length !== 0 && make}
    >
      {maySteer ? (
        <WhyNot needs="admin" what="make and change syncs" />
      ) : (
        <WhyNot needs="operator" what="run and pause syncs" />
      )}
      <div className={settings.panel}>
        <PanelList query={query} what="the syncs" empty={{ ...NOTHING, action: make }}>
          {(sync) => <SyncRow key={sync.id} sync={sync} />}
        </PanelList>
      </div>
    </Page>
  );
}

function SyncRow({ sync }: { sync: SyncShown }) {
  const { name, rule, paused, origin, counts, last_pass, next_run, actions } = sync;
  const maySteer = useMay("operator");
  const pausing = useChange({ change: () => pauseSync(name, !paused), list: syncList });
  const running = useChange({ change: () => runSync(name), list: syncList });
  const failed = counts.failed ?? 0;
  return (
    <ListRow
      name={
        <TextLink to="/syncs/$name" params={{ name }} underline="hover" c="inherit">
          {name}
        </TextLink>
      }
      notes={
        <>
          <div>{wayWords(rule)}</div>
          <div>
            {scheduleWords(rule)}
            {origin === "environment" &&
              (isLeft(sync) ? ", said by the environment no more" : ", said by the environment")}
            {next_run && (
              <>
                {" · next "}
                <Until time={next_run} />
              </>
            )}
            {last_pass && (
              <>
                {" · ran "}
                <Ago time={last_pass.started_at} />
              </>
            )}
          </div>
          {last_pass?.failure && (
            <Text size="xs" c="var(--mantine-color-error)">
              Its last pass failed: {last_pass.failure}
            </Text>
          )}
          <Group gap={6} mt={4}>
            {paused && (
              <Badge size="sm" radius="sm" color="orange" variant="light">
                Paused
              </Badge>
            )}
            {failed > 0 && (
              <Badge size="sm" radius="sm" color="red" variant="light">
                {count(failed)} failed
              </Badge>
            )}
            <Text size="xs" c="dimmed" className="figures">
              {counted(counts.marked ?? 0, "file")} delivered, {count(toGo(counts))} to go
            </Text>
          </Group>
        </>
      }
      actions={
        maySteer && (
          <>
            {actions.includes("run") && (
              <ActButton
                size="xs"
                variant="default"
                aria-label={`Run ${name} now`}
                busy={running.isPending}
                onClick={() => running.mutate()}
              >
                {running.isPending ? "Queuing…" : "Run now"}
              </ActButton>
            )}
            <ActButton
              size="xs"
              variant="default"
              aria-label={`${paused ? "Resume" : "Pause"} ${name}`}
              busy={pausing.isPending}
              onClick={() => pausing.mutate()}
            >
              {pausing.isPending ? "Changing…" : paused ? "Resume" : "Pause"}
            </ActButton>
          </>
        )
      }
      failure={{ title: `${name} was not changed`, of: [pausing, running] }}
    />
  );
}
