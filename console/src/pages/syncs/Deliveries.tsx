// The files of a sync: how far each is, why, and what comes next.
import { Badge, Chip, Group, Select, Text, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { queryClient } from "../../api/query-client";
import { useMay } from "../../api/session";
import { deliverAgain, deliveryPages, retryDelivery, syncQuery } from "../../api/syncs";
import type { Delivery, SyncShown } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { CopyButton } from "../../components/CopyButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { TextLink } from "../../components/links";
import { Ago } from "../../components/Times";
import { useNow } from "../../components/use-now";
import { useTyped } from "../../components/use-typed";
import { bytes, count, counted } from "../../format/numbers";
import { SEARCH_HERE } from "../../frame/use-keys";
import { Loaded } from "../settings/Panel";
import classes from "./Syncs.module.css";
import { DELIVERY_STATES, type FilesShown } from "./shown";
import { nextStep, STATE_LOOKS } from "./sync-words";

const route = getRouteApi("/frame/syncs/$name");

interface DeliveriesProps {
  sync: SyncShown;
  shown: FilesShown;
}

export function Deliveries({ sync, shown }: DeliveriesProps) {
  const query = useInfiniteQuery(deliveryPages(sync.name, shown));
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const filtered = Object.keys(shown).length > 0;
  return (
    <div className={classes.stack}>
      <Filters sync={sync} shown={shown} />
      <Loaded query={query} what="its files">
        {({ pages }) => {
          const deliveries = pages.flatMap(({ items }) => items);
          if (deliveries.length === 0) {
            return (
              <Text size="sm">
                {filtered ? (
                  <>
                    No file of it is like this.{" "}
                    <TextLink from="/syncs/$name" to="." search={{}} size="sm" underline="always">
                      Show all of them
                    </TextLink>
                  </>
                ) : (
                  `No file was found yet. ${sync.paused ? "Resume" : "Run"} it, and what its source holds is listed here.`
                )}
              </Text>
            );
          }
          return (
            <ul className={`card ${classes.list}`} aria-label="Files">
              {deliveries.map((delivery) => (
                <DeliveryRow key={delivery.id} sync={sync.name} delivery={delivery} />
              ))}
            </ul>
          );
        }}
      </Loaded>
      {hasNextPage && (
        <Group justify="center">
          <ActButton
            variant="default"
            busy={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            {isFetchingNextPage ? "Reading more…" : "Show more"}
          </ActButton>
        </Group>
      )}
    </div>
  );
}

const TYPES = [
  { value: "image/*", label: "Images" },
  { value: "video/*", label: "Videos" },
  { value: "audio/*", label: "Audio" },
  { value: "text/*", label: "Texts" },
  { value: "application/*", label: "Documents and others" },
];

function Filters({ sync, shown }: DeliveriesProps) {
  const navigate = route.useNavigate();
  const show = (change: FilesShown) =>
    void navigate({
      search: { ...shown, ...change },
      replace: true,
      resetScroll: false,
    });
  const without = (name: keyof FilesShown) => {
    const { [name]: _gone, ...rest } = shown;
    void navigate({ search: rest, replace: true, resetScroll: false });
  };
  const [words, typeWords] = useTyped(shown.q ?? "", (q) =>
    q === "" ? without("q") : show({ q }),
  );
  const present = DELIVERY_STATES.filter((state) => sync.counts[state] || state === shown.state);
  const targets = sync.rule.targets.map(({ name }) => name);
  const { type: other } = shown;
  const types = TYPES.some(({ value }) => value === other) || !other ? TYPES : [...TYPES, other];
  return (
    <div className={classes.filters}>
      <TextInput
        {...SEARCH_HERE}
        className={classes.search}
        type="search"
        aria-label="Search keys, paths and names"
        placeholder="Search keys, paths and names"
        leftSection={<IconSearch size={16} aria-hidden />}
        value={words}
        onChange={(event) => typeWords(event.currentTarget.value)}
      />
      <Select
        className={classes.target}
        aria-label="Type"
        placeholder="Any type"
        clearable
        data={types}
        value={shown.type ?? null}
        onChange={(type) => (type ? show({ type }) : without("type"))}
      />
      {targets.length > 1 && (
        <Select
          className={classes.target}
          aria-label="Target"
          placeholder="Any target"
          clearable
          data={targets}
          value={shown.target ?? null}
          onChange={(target) => (target ? show({ target }) : without("target"))}
        />
      )}
      <Group gap={6} role="group" aria-label="State">
        {present.map((state) => (
          <Chip
            key={state}
            size="xs"
            checked={shown.state === state}
            onChange={(on) => (on ? show({ state }) : without("state"))}
          >
            {STATE_LOOKS[state].word} {count(sync.counts[state] ?? 0)}
          </Chip>
        ))}
      </Group>
    </div>
  );
}

function DeliveryRow({ sync, delivery }: { sync: string; delivery: Delivery }) {
  const { id, name, place, item, size, state, target, remote_id, attempt, failures } = delivery;
  const { reason, changed_at, operation, actions, thumbnail } = delivery;
  const now = useNow();
  const maySteer = useMay("operator");
  const reread = () => queryClient.invalidateQueries({ queryKey: syncQuery(sync).queryKey });
  const retrying = useMutation({ mutationFn: () => retryDelivery(sync, id), onSettled: reread });
  const again = useMutation({ mutationFn: () => deliverAgain(sync, id), onSettled: reread });
  const failed = [retrying, again].find(({ error }) => error !== null);
  const look = STATE_LOOKS[state];
  const next = nextStep(delivery, now);
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <Group gap="xs" wrap="nowrap" align="flex-start">
          <Badge
            size="md"
            radius="sm"
            variant="light"
            color={look.color}
            w={96}
            style={{ flexShrink: 0 }}
            title={look.about}
            data-state={state}
          >
            {look.word}
          </Badge>
          <div className={classes.what}>
            <Text size="sm" className={classes.name}>
              {name || place || item}
            </Text>
            <Text size="xs" c="dimmed" className={classes.name}>
              {[
                place !== name ? place : null,
                size == null ? null : bytes(size),
                target ? `to ${target}` : null,
                attempt > 0 ? counted(attempt, "attempt") : null,
                failures > 0 ? `${count(failures)} of them went wrong` : null,
              ]
                .filter(Boolean)
                .join(" · ")}
              {" · "}
              <Ago time={changed_at} />
              {operation && (
                <>
                  {" · "}
                  <TextLink
                    to="/operations/$id"
                    params={{ id: operation }}
                    size="xs"
                    underline="always"
                  >
                    its pass
                  </TextLink>
                </>
              )}
            </Text>
            {(reason || next) && (
              <Text size="xs" className={classes.name}>
                {reason}
                {reason && next ? " · " : ""}
                {next && <span className={classes.next}>{next}</span>}
              </Text>
            )}
          </div>
        </Group>
      </div>
      <Group gap="xs">
        {remote_id && <CopyButton compact value={remote_id} label={`Copy its id ${remote_id}`} />}
        {thumbnail && <CopyButton compact value={thumbnail} label="Copy the thumbnail's address" />}
        {maySteer && actions.includes("retry") && (
          <ActButton
            size="xs"
            variant="default"
            aria-label={`Retry ${name || item}`}
            busy={retrying.isPending}
            onClick={() => retrying.mutate()}
          >
            {retrying.isPending ? "Queuing…" : "Retry"}
          </ActButton>
        )}
        {maySteer && actions.includes("deliver_again") && (
          <ActButton
            size="xs"
            variant="subtle"
            color="gray"
            aria-label={`Deliver ${name || item} again`}
            busy={again.isPending}
            onClick={() => again.mutate()}
          >
            {again.isPending ? "Queuing…" : "Deliver again"}
          </ActButton>
        )}
      </Group>
      {failed && (
        <div className={classes.whole}>
          <ErrorPanel title="That did not work" error={failed.error} onDismiss={failed.reset} />
        </div>
      )}
    </li>
  );
}
