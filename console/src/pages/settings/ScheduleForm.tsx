// When a schedule runs and what it starts; says what the expression means as one types.
import { Select, Text, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { operationKinds } from "../../api/operations";
import { asProblem } from "../../api/problem";
import { schedulePreview } from "../../api/settings";
import { fullTime } from "../../format/times";
import { TYPING_PAUSE_MS } from "../../frame/typing";
import { PanelForm, type Saving, Wide } from "./PanelForm";
import { type ScheduleValues, scheduleRules } from "./schedule-values";

interface ScheduleFormProps {
  initial: ScheduleValues;
  /** One that exists keeps its name, kind and title, and is edited within its row. */
  existing?: boolean;
  saving: Saving;
  onSave: (values: ScheduleValues) => void;
  onLeave: () => void;
}

const MISSED = [
  { value: "run_once", label: "Run once, late" },
  { value: "skip", label: "Skip them" },
];
export const ZONES = [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])];

export function ScheduleForm(props: ScheduleFormProps) {
  const { initial, existing = false, saving, onSave, onLeave } = props;
  const kinds = useQuery(operationKinds);
  const form = useForm<ScheduleValues>({ initialValues: initial, validate: scheduleRules });
  const startable = (kinds.data?.items ?? []).filter(({ schedulable }) => schedulable);
  return (
    <PanelForm
      bare={existing}
      saving={saving}
      words={{
        save: existing ? "Save changes" : "Create schedule",
        saving: "Saving…",
        failed: "The schedule was not saved",
      }}
      onSubmit={form.onSubmit(onSave)}
      onLeave={onLeave}
    >
      {!existing && (
        <>
          <TextInput
            label="Name"
            placeholder="nightly"
            autoCapitalize="none"
            autoComplete="off"
            {...form.getInputProps("name")}
          />
          <Select
            label="Starts"
            placeholder={startable.length === 0 ? "No kind can be scheduled yet" : "Choose a kind"}
            data={startable.map(({ name, title }) => ({ value: name, label: title }))}
            {...form.getInputProps("kind")}
          />
          <TextInput
            label="Title"
            placeholder="Empty: the kind's own"
            {...form.getInputProps("title")}
          />
        </>
      )}
      <TextInput
        label="When"
        description="Cron: minute, hour, day, month, weekday"
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        classNames={{ input: "mono" }}
        {...form.getInputProps("cron")}
      />
      <Select
        label="Time zone"
        description="Of these times"
        searchable
        allowDeselect={false}
        limit={40}
        data={ZONES}
        {...form.getInputProps("zone")}
      />
      <Select
        label="Runs missed while down"
        description="When Longshore starts again"
        allowDeselect={false}
        data={MISSED}
        {...form.getInputProps("missed")}
      />
      <Wide>
        <Textarea
          label="Input"
          description="What the operation is given, as JSON"
          autosize
          minRows={2}
          maxRows={14}
          spellCheck={false}
          classNames={{ input: "mono" }}
          {...form.getInputProps("input")}
        />
      </Wide>
      <Wide>
        <SchedulePreview cron={form.values.cron} zone={form.values.zone} />
      </Wide>
    </PanelForm>
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
