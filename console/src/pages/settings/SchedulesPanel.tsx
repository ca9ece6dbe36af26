// What runs by itself: when, what it starts, how it went last.
import { Button, Switch } from "@mantine/core";
import { IconCalendarTime } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { useMay } from "../../api/session";
import { scheduleList } from "../../api/settings";
import type { Schedule, SchedulePatch } from "../../api/types";
import { TextLink } from "../../components/links";
import { Ago } from "../../components/Times";
import { fullTime } from "../../format/times";
import { Panel } from "./Panel";
import { DeleteButton, ListRow, PanelList, useChange } from "./PanelList";
import { ScheduleForm } from "./ScheduleForm";
import {
  type ScheduleValues,
  startValues,
  toSchedulePatch,
  toScheduleRequest,
  valuesOf,
} from "./schedule-values";

const NOTHING = {
  Icon: IconCalendarTime,
  sentence: "Nothing runs by itself yet. A new schedule starts an operation at its times.",
};
const here = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

export function SchedulesPanel() {
  const query = useQuery(scheduleList);
  const maySteer = useMay("operator");
  return (
    <Panel title="Schedules" lead="Operations that start by themselves, at times of their zone.">
      {maySteer && <NewSchedule />}
      <PanelList query={query} what="the schedules" empty={NOTHING}>
        {(schedule) => <ScheduleRow key={schedule.id} schedule={schedule} maySteer={maySteer} />}
      </PanelList>
    </Panel>
  );
}

function NewSchedule() {
  const [open, setOpen] = useState(false);
  const creating = useChange({
    change: (values: ScheduleValues) =>
      take(api.POST("/api/v1/schedules", { body: toScheduleRequest(values) })),
    list: scheduleList,
    done: () => setOpen(false),
  });
  if (!open) {
    return (
      <Button w="fit-content" onClick={() => setOpen(true)}>
        New schedule
      </Button>
    );
  }
  return (
    <ScheduleForm
      initial={startValues(here())}
      saving={creating}
      onSave={creating.mutate}
      onLeave={() => {
        creating.reset();
        setOpen(false);
      }}
    />
  );
}

export function ScheduleRow({ schedule, maySteer }: { schedule: Schedule; maySteer: boolean }) {
  const { id, name, title, kind, words, zone, enabled } = schedule;
  const [editing, setEditing] = useState(false);
  const params = { path: { id } };
  const patching = useChange({
    change: (body: SchedulePatch) => take(api.PATCH("/api/v1/schedules/{id}", { params, body })),
    list: scheduleList,
    done: () => setEditing(false),
  });
  const deleting = useChange({
    change: () => api.DELETE("/api/v1/schedules/{id}", { params }),
    list: scheduleList,
  });
  return (
    <ListRow
      name={name}
      notes={
        <>
          <div>
            {title || kind} · {words.replace(/\.$/, "")} ({zone})
          </div>
          <Course schedule={schedule} />
        </>
      }
      beside={
        maySteer && (
          <Switch
            aria-label={`${name} runs`}
            label={patching.isPending ? "Changing…" : enabled ? "On" : "Off"}
            checked={enabled}
            onChange={(event) => {
              if (!patching.isPending) patching.mutate({ enabled: event.currentTarget.checked });
            }}
          />
        )
      }
      actions={
        maySteer && (
          <>
            <Button
              size="xs"
              variant="default"
              aria-expanded={editing}
              onClick={() => setEditing(!editing)}
            >
              Edit
            </Button>
            <DeleteButton
              name={name}
              deleting={deleting}
              consequences={["It runs no more. The operations that it started stay in Activity."]}
            />
          </>
        )
      }
      unfolded={
        editing && (
          <ScheduleForm
            existing
            initial={valuesOf(schedule)}
            saving={patching}
            onSave={(values) => patching.mutate(toSchedulePatch(values, schedule))}
            onLeave={() => {
              patching.reset();
              setEditing(false);
            }}
          />
        )
      }
      // While it is edited, the form says why it was not saved.
      failure={{
        title: `${name} was not changed`,
        of: editing ? [deleting] : [deleting, patching],
      }}
    />
  );
}

function Course({ schedule }: { schedule: Schedule }) {
  const { enabled, next_runs: next, last_run: last, last_operation: operation } = schedule;
  return (
    <div>
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
