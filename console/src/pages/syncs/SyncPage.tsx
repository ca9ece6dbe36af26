// A sync: what can be done with it, its files with what comes next, its passes, its rule.
import { Badge, Group, Tabs, Text } from "@mantine/core";
import { useThrottledCallback } from "@mantine/hooks";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { mergeOperation, operationQuery } from "../../api/operations";
import { queryClient } from "../../api/query-client";
import { useMay } from "../../api/session";
import {
  checkSync,
  dryRunSync,
  pauseSync,
  retryFailed,
  runSync,
  syncQuery,
  verifySync,
} from "../../api/syncs";
import type { SyncShown } from "../../api/types";
import { useLiveOperation, useOperationChanges } from "../../api/use-live";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ButtonLink } from "../../components/links";
import { OperationLine } from "../../components/OperationLine";
import { Page } from "../../components/Page";
import { Waiting } from "../../components/Waiting";
import { WhyNot } from "../../components/WhyNot";
import { count } from "../../format/numbers";
import { Loaded } from "../settings/Panel";
import { Checked } from "./Checked";
import { Deliveries } from "./Deliveries";
import { Keeping } from "./Keeping";
import { Passes } from "./Passes";
import { Planned } from "./Planned";
import { RuleView } from "./RuleView";
import { wayWords } from "./sync-words";

const route = getRouteApi("/frame/syncs/$name");

/** How often files and counts are read anew while a pass runs. */
const LOOK_MS = 2_000;

export function SyncPage() {
  const { name } = route.useParams();
  const { data: sync, error, refetch } = useQuery(syncQuery(name));
  // All that is shown of it: its counts, files and passes.
  const reread = () => void queryClient.invalidateQueries({ queryKey: syncQuery(name).queryKey });
  const rereadSoon = useThrottledCallback(reread, LOOK_MS);
  useOperationChanges((operation) => {
    if (operation.subject !== `sync:${name}`) return;
    if (operation.ended_at) reread();
    else rereadSoon();
  }, reread);
  const trail = (
    <div>
      <ButtonLink to="/syncs" variant="subtle" size="compact-sm" color="gray" ml={-8}>
        All syncs
      </ButtonLink>
    </div>
  );
  if (sync) return <Inside key={sync.id} sync={sync} trail={trail} />;
  return (
    <Page title={name} trail={trail}>
      {error ? (
        <ErrorPanel title="The sync could not be read" error={error} onRetry={refetch} />
      ) : (
        <Waiting what="Reading the sync…" />
      )}
    </Page>
  );
}

function Inside({ sync, trail }: { sync: SyncShown; trail: ReactNode }) {
  const { tab = "files", edit = false, ...shown } = route.useSearch();
  const navigate = route.useNavigate();
  const maySteer = useMay("operator");
  const mayChange = useMay("admin");
  return (
    <Page
      title={sync.name}
      trail={trail}
      lead={wayWords(sync.rule)}
      actions={mayChange && <Keeping sync={sync} />}
      beside={
        sync.paused && (
          <Badge variant="light" color="orange" radius="sm">
            Paused
          </Badge>
        )
      }
    >
      {maySteer ? (
        <>
          <Acts sync={sync} />
          <WhyNot needs="admin" what="change and delete syncs" />
        </>
      ) : (
        <WhyNot needs="operator" what="run and pause syncs" />
      )}
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) =>
          navigate({
            search: next === "passes" || next === "rule" ? { tab: next } : {},
            resetScroll: false,
          })
        }
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="files">Files</Tabs.Tab>
          <Tabs.Tab value="passes">Passes</Tabs.Tab>
          <Tabs.Tab value="rule">Rule</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="files">
          <Deliveries sync={sync} shown={shown} />
        </Tabs.Panel>
        <Tabs.Panel value="passes">
          <Passes sync={sync} />
        </Tabs.Panel>
        <Tabs.Panel value="rule">
          <RuleView sync={sync} edit={edit} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Acts({ sync }: { sync: SyncShown }) {
  const { name, paused, counts, actions } = sync;
  const [operation, setOperation] = useState<string | null>(null);
  const reread = () => queryClient.invalidateQueries({ queryKey: syncQuery(name).queryKey });
  const started = {
    onSuccess: (made: { operation?: string | null }) => setOperation(made.operation ?? null),
    onSettled: reread,
  };
  const dry = useMutation({ mutationFn: () => dryRunSync(name) });
  const running = useMutation({ mutationFn: () => runSync(name), ...started });
  const forReal = useMutation({
    mutationFn: () => runSync(name),
    ...started,
    onSuccess: (made) => {
      started.onSuccess(made);
      // It is not what will be any more.
      dry.reset();
    },
  });
  const verifying = useMutation({ mutationFn: () => verifySync(name, false), ...started });
  const retrying = useMutation({ mutationFn: () => retryFailed(name), ...started });
  const pausing = useMutation({ mutationFn: () => pauseSync(name, !paused), onSettled: reread });
  const checking = useMutation({ mutationFn: () => checkSync(name) });
  const failed = [running, forReal, verifying, pausing, retrying, dry, checking].find(
    ({ error }) => error !== null,
  );
  return (
    <>
      <Group gap="xs">
        {actions.includes("run") && (
          <ActButton busy={running.isPending} onClick={() => running.mutate()}>
            {running.isPending ? "Queuing…" : "Run now"}
          </ActButton>
        )}
        <ActButton
          variant={paused ? "filled" : "default"}
          busy={pausing.isPending}
          onClick={() => pausing.mutate()}
        >
          {pausing.isPending ? "Changing…" : paused ? "Resume" : "Pause"}
        </ActButton>
        {actions.includes("retry") && (
          <ActButton variant="default" busy={retrying.isPending} onClick={() => retrying.mutate()}>
            {retrying.isPending ? "Queuing…" : `Retry ${count(counts.failed ?? 0)} failed`}
          </ActButton>
        )}
        <ActButton variant="default" busy={dry.isPending} onClick={() => dry.mutate()}>
          {dry.isPending ? "Looking…" : "Dry run"}
        </ActButton>
        {actions.includes("verify") && (
          <ActButton
            variant="default"
            busy={verifying.isPending}
            onClick={() => verifying.mutate()}
          >
            {verifying.isPending ? "Queuing…" : "Verify"}
          </ActButton>
        )}
        <ActButton variant="default" busy={checking.isPending} onClick={() => checking.mutate()}>
          {checking.isPending ? "Checking…" : "Check"}
        </ActButton>
      </Group>
      {paused && (
        <Text size="sm" c="dimmed">
          It is paused: what runs goes on to its end, and nothing new begins until it is resumed.
        </Text>
      )}
      {operation && <Going key={operation} id={operation} />}
      {dry.data && (
        <Planned plan={dry.data} onDismiss={dry.reset}>
          {actions.includes("run") ? (
            <ActButton size="xs" busy={forReal.isPending} onClick={() => forReal.mutate()}>
              {forReal.isPending ? "Queuing…" : "Run for real"}
            </ActButton>
          ) : (
            <Text size="sm">It is paused: resume it to run it for real.</Text>
          )}
        </Planned>
      )}
      {checking.data && <Checked things={checking.data.items} onDismiss={checking.reset} />}
      {failed && (
        <ErrorPanel title="That did not work" error={failed.error} onDismiss={failed.reset} />
      )}
    </>
  );
}

function Going({ id }: { id: string }) {
  const query = useQuery(operationQuery(id));
  useLiveOperation(id, null, {
    onOperation: mergeOperation,
    onReset: () => void query.refetch(),
  });
  return (
    <div className="card">
      <Loaded query={query} what="how far it is">
        {(operation) => <OperationLine operation={operation} />}
      </Loaded>
    </div>
  );
}
