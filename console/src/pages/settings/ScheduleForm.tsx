// When a schedule runs and what it starts; says what the expression means as one types.
import { Select, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { operationKinds } from "../../api/operations";
import { SchedulePreview, ZoneSelect } from "../../components/Schedule";
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
      <ZoneSelect description="Of these times" {...form.getInputProps("zone")} />
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
