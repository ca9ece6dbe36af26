// What runs by itself: when, what it starts, how it went last.
import { Button, Group, Switch, Text } from "@mantine/core";
import { IconCalendarTime } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { queryClient } from "../../api/query-client";
import { useMay } from "../../api/session";
import { scheduleList } from "../../api/settings";
import type { Schedule, SchedulePatch } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { confirmDestruction } from "../../components/confirm";
import { EmptyState } from "../../components/EmptyState";
import { ErrorPanel } from "../../components/ErrorPanel";
import { TextLink } from "../../components/links";
import { Ago } from "../../components/Times";
import { fullTime } from "../../format/times";
import { Loaded, Panel } from "./Panel";
import { ScheduleForm } from "./ScheduleForm";
import classes from "./Settings.module.css";
import {
  type ScheduleValues,
  startValues,
  toSchedulePatch,
  toScheduleRequest,
  valuesOf,
} from "./schedule-values";

const reread = () => queryClient.invalidateQueries({ queryKey: scheduleList.queryKey });
const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

export function SchedulesPanel() {
  const query = useQuery(scheduleList);
  const maySteer = useMay("operator");
  return (
    <Panel title="Schedules" lead="Operations that start by themselves, at times of their zone.">
      {maySteer && <NewSchedule />}
      <Loaded query={query} what="the schedules">
        {({ items }) => (
          <div className="card">
            {items.length === 0 && (
              <EmptyState
                icon={<IconCalendarTime size={30} stroke={1.4} aria-hidden />}
                sentence="Nothing runs by itself yet."
              />
            )}
            {items.map((schedule) => (
              <ScheduleRow key={schedule.id} schedule={schedule} maySteer={maySteer} />
            ))}
          </div>
        )}
      </Loaded>
    </Panel>
  );
}

function NewSchedule() {
  const [open, setOpen] = useState(false);
  const creating = useMutation({
    mutationFn: (values: ScheduleValues) =>
      take(api.POST("/api/v1/schedules", { body: toScheduleRequest(values) })),
    onSuccess: () => {
      setOpen(false);
      return reread();
    },
  });
  if (!open) {
    return (
      <Button w="fit-content" onClick={() => setOpen(true)}>
        New schedule
      </Button>
    );
  }
  return (
    <div className="card">
      <ScheduleForm
        initial={startValues(here())}
        existing={false}
        saving={creating.isPending}
        error={creating.error}
        onSave={(values) => creating.mutate(values)}
        onLeave={() => {
          creating.reset();
          setOpen(false);
        }}
      />
    </div>
  );
}

function ScheduleRow({ schedule, maySteer }: { schedule: Schedule; maySteer: boolean }) {
  const { id, name, title, kind, words, zone, enabled } = schedule;
  const [editing, setEditing] = useState(false);
  const params = { path: { id } };
  const patching = useMutation({
    mutationFn: (body: SchedulePatch) =>
      take(api.PATCH("/api/v1/schedules/{id}", { params, body })),
    onSuccess: () => {
      setEditing(false);
      return reread();
    },
  });
  const deleting = useMutation({
    mutationFn: () => api.DELETE("/api/v1/schedules/{id}", { params }),
    onSuccess: reread,
  });
  const error = deleting.error ?? (editing ? null : patching.error);
  return (
    <div className={classes.row}>
      <div style={{ minWidth: 0 }}>
        <Text fw={600} className="ellipsis">
          {name}
        </Text>
        <div className={classes.sub}>
          {title || kind} · {words.replace(/\.$/, "")} ({zone})
        </div>
        <Course schedule={schedule} />
      </div>
      {maySteer && (
        <Group gap="xs">
          <Switch
            aria-label={`${name} runs`}
            label={patching.isPending ? "Changing…" : enabled ? "On" : "Off"}
            checked={enabled}
            onChange={(event) => {
              if (!patching.isPending) patching.mutate({ enabled: event.currentTarget.checked });
            }}
          />
          <Button
            size="xs"
            variant="default"
            aria-expanded={editing}
            onClick={() => setEditing(!editing)}
          >
            Edit
          </Button>
          <ActButton
            size="xs"
            variant="default"
            busy={deleting.isPending}
            onClick={() =>
              confirmDestruction({
                action: `Delete ${name}`,
                consequences: ["It runs no more. The operations that it started stay in Activity."],
                onConfirm: () => deleting.mutate(),
              })
            }
          >
            {deleting.isPending ? "Deleting…" : "Delete"}
          </ActButton>
        </Group>
      )}
      {editing && (
        <div className={classes.unfolded}>
          <ScheduleForm
            initial={valuesOf(schedule)}
            existing
            saving={patching.isPending}
            error={patching.error}
            onSave={(values) => patching.mutate(toSchedulePatch(values, schedule))}
            onLeave={() => {
              patching.reset();
              setEditing(false);
            }}
          />
        </div>
      )}
      {error && (
        <div className={classes.unfolded}>
          <ErrorPanel
            title={`${name} was not changed`}
            error={error}
            onDismiss={() => {
              patching.reset();
              deleting.reset();
            }}
          />
        </div>
      )}
    </div>
  );
}

function Course({ schedule }: { schedule: Schedule }) {
  const { enabled, next_runs: next, last_run: last, last_operation: operation } = schedule;
  return (
    <div className={classes.sub}>
      {enabled && next.length > 0
        ? `Next, in your time: ${next.slice(0, 3).map(fullTime).join(" · ")}`
        : "It is off."}
      {last && (
        <>
          {" · ran "}
          {operation ? (
            <TextLink to="/operations/$id" params={{ id: operation }} size="sm" underline="always">
              <Ago time={last} />
            </TextLink>
          ) : (
            <Ago time={last} />
          )}
        </>
      )}
    </div>
  );
}
