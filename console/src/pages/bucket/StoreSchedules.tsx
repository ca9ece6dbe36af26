// When a bucket is compared with its store by itself.
import { TextInput, Title } from "@mantine/core";
import { IconCalendarTime } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { useMay } from "../../api/session";
import { scheduleList } from "../../api/settings";
import type { Schedule } from "../../api/types";
import { SchedulePreview, ZoneSelect } from "../../components/Schedule";
import { Loaded } from "../settings/Panel";
import { PanelForm, Wide } from "../settings/PanelForm";
import { ListCard, useChange } from "../settings/PanelList";
import { ScheduleRow } from "../settings/SchedulesPanel";
import { compares, freeName } from "./store-schedules";

const NOTHING = { Icon: IconCalendarTime, sentence: "It is not compared by itself." };

export function StoreSchedules({ bucket }: { bucket: string }) {
  const query = useQuery(scheduleList);
  const maySteer = useMay("operator");
  return (
    <section aria-labelledby="schedules">
      <Title order={3} id="schedules" mb="xs">
        Comparing on a schedule
      </Title>
      <Loaded query={query} what="the schedules">
        {({ items }) => {
          const mine = items.filter((schedule) => compares(schedule, bucket));
          return (
            <>
              {maySteer && mine.length === 0 && <NewOne bucket={bucket} known={items} />}
              {(mine.length > 0 || !maySteer) && (
                <ListCard items={mine} empty={NOTHING}>
                  {(schedule) => (
                    <ScheduleRow key={schedule.id} schedule={schedule} maySteer={maySteer} />
                  )}
                </ListCard>
              )}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

function NewOne({ bucket, known }: { bucket: string; known: readonly Schedule[] }) {
  const [cron, setCron] = useState("15 3 * * *");
  const [zone, setZone] = useState(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  const creating = useChange({
    change: () =>
      take(
        api.POST("/api/v1/schedules", {
          body: {
            name: freeName(bucket, known),
            kind: "reconcile",
            title: `Compare ${bucket} with its store`,
            input: { bucket } as unknown as Record<string, never>,
            cron: cron.trim(),
            zone,
            missed: "run_once",
          },
        }),
      ),
    list: scheduleList,
  });
  return (
    <PanelForm
      line
      saving={creating}
      words={{ save: "Compare then", saving: "Saving…", failed: "It was not scheduled" }}
      onSubmit={(event) => {
        event.preventDefault();
        if (!creating.isPending) creating.mutate();
      }}
    >
      <TextInput
        label="When"
        aria-description="Cron: minute, hour, day, month, weekday"
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        classNames={{ input: "mono" }}
        value={cron}
        onChange={(event) => setCron(event.currentTarget.value)}
      />
      <ZoneSelect value={zone} onChange={(value) => setZone(value ?? zone)} />
      <Wide>
        <SchedulePreview cron={cron} zone={zone} />
      </Wide>
    </PanelForm>
  );
}
