// What forms share that say when something runs: the time zone, and what an expression
// means as one types it.
import { Select, type SelectProps, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { asProblem } from "../api/problem";
import { schedulePreview } from "../api/settings";
import { fullTime } from "../format/times";
import { TYPING_PAUSE_MS } from "../frame/typing";

const ZONES = [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])];

export function ZoneSelect(props: Omit<SelectProps, "data" | "label">) {
  return (
    <Select {...props} label="Time zone" searchable allowDeselect={false} limit={40} data={ZONES} />
  );
}

/** What an expression means, and when that is next. */
export function SchedulePreview({ cron, zone }: { cron: string; zone: string }) {
  const [wanted] = useDebouncedValue(cron.trim(), TYPING_PAUSE_MS);
  const query = useQuery({ ...schedulePreview(wanted, zone), enabled: wanted !== "" });
  if (wanted === "") return null;
  if (query.error) {
    return (
      <Text size="sm" role="status" c="var(--mantine-color-error)">
        {asProblem(query.error).message}
      </Text>
    );
  }
  if (!query.data) {
    return (
      <Text size="sm" role="status" c="dimmed">
        Asking when that is…
      </Text>
    );
  }
  return (
    <div role="status">
      <Text size="sm" fw={550}>
        {query.data.words}
      </Text>
      <Text size="sm" c="dimmed">
        Next, in your time: {query.data.next_runs.map(fullTime).join(" · ")}
      </Text>
    </div>
  );
}
