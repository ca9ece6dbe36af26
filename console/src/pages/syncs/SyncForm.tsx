// The one form of a sync's rule: for a new one, for one like another, and for changing one.
import { Button, NumberInput, Switch, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { type UseMutationResult, useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { asProblem } from "../../api/problem";
import { dryRunRule } from "../../api/syncs";
import type { SyncRule } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { SchedulePreview, ZoneSelect } from "../../components/Schedule";
import { SecretSelect } from "../../components/SecretSelect";
import { StayHere } from "../../components/StayHere";
import { Folded, PanelForm, Part, Wide } from "../settings/PanelForm";
import { Planned } from "./Planned";
import { checkRule, fieldErrors, ruleDifferences } from "./rule-checks";
import { CODE, FIELD, hasErrors, type RuleForm } from "./rule-form";
import { newTarget, type SyncValues, toRule } from "./rule-values";
import { SourceFields } from "./SourceFields";
import { TargetFields } from "./TargetFields";
import { useMatches } from "./use-matches";

interface SyncFormProps<R> {
  initial: SyncValues;
  /** One that is there keeps its name. */
  existing?: boolean;
  saving: UseMutationResult<R, Error, SyncValues>;
  onLeave: () => void;
}

const MOST_TARGETS = 32;

export function SyncForm<R>({ initial, existing = false, saving, onLeave }: SyncFormProps<R>) {
  const [before] = useState(() => toRule(initial));
  const form = useForm<SyncValues>({ initialValues: initial, validate: checkRule });
  const rule = toRule(form.values);
  const different = existing ? ruleDifferences(before, rule) : [];
  const idle = existing && different.length === 0;
  const counting = useMatches(form.values);
  const focusFirst = useFocusOnFirst(form);
  const refused = (values: SyncValues) => (error: Error) => {
    form.setErrors(fieldErrors(asProblem(error), values));
    focusFirst();
  };
  const submit = form.onSubmit((values) => {
    if (saving.isPending || idle) return;
    saving.mutate(values, { onError: refused(values) });
  }, focusFirst);
  const trying = useMutation({
    mutationFn: (rule: SyncRule) => dryRunRule(rule, existing ? initial.name : null),
  });
  const tryIt = form.onSubmit((values) => {
    if (!trying.isPending) trying.mutate(toRule(values), { onError: refused(values) });
  }, focusFirst);
  // What was told is of the rule as it was then.
  const tried = JSON.stringify(trying.variables) === JSON.stringify(rule) ? trying.data : undefined;
  return (
    <PanelForm
      saving={saving}
      words={{
        save: existing ? (idle ? "Nothing is changed" : "Save") : "Create sync",
        saving: "Saving…",
        failed: "The sync was not saved",
      }}
      idle={idle}
      onSubmit={submit}
      onLeave={onLeave}
      beside={
        <ActButton variant="default" busy={trying.isPending} onClick={() => tryIt()}>
          {trying.isPending ? "Looking…" : "Dry run"}
        </ActButton>
      }
      foot={
        <>
          {different.length > 0 && (
            <section aria-label="What will change">
              {different.map(({ name, from, to }) => (
                <Text key={name} size="sm" style={{ overflowWrap: "anywhere" }}>
                  <span className="mono">{name}</span>: {from} → {to}
                </Text>
              ))}
            </section>
          )}
          {tried && <Planned plan={tried} onDismiss={trying.reset} />}
          {trying.error && (
            <ErrorPanel
              title="What it would do cannot be told"
              error={trying.error}
              onDismiss={trying.reset}
            />
          )}
        </>
      }
    >
      {!existing && (
        <>
          <TextInput
            {...CODE}
            label="Name"
            placeholder="What it is for, such as covers"
            {...form.getInputProps("name")}
          />
          <Wide>
            <Switch
              label="Begin paused"
              description="Nothing is delivered until it is resumed: for a dry run first."
              {...form.getInputProps("paused", { type: "checkbox" })}
            />
          </Wide>
        </>
      )}
      <SourceFields form={form} counting={counting} />
      {form.values.targets.map(({ uid }, index) => (
        <TargetFields key={uid} form={form} index={index} counting={counting} />
      ))}
      {form.values.targets.length < MOST_TARGETS && (
        <Wide>
          <Button variant="default" size="xs" onClick={() => addTarget(form)}>
            Add a target
          </Button>
        </Wide>
      )}
      <WhenItRuns form={form} />
      <HowItRuns form={form} />
      <StayHere while={form.isDirty() && !saving.isPending && !saving.isSuccess} what="the sync" />
    </PanelForm>
  );
}

/** Leads to the first field that is wrong, once it is shown, which may be unfolded for it. */
function useFocusOnFirst({ errors, getInputNode }: RuleForm): () => void {
  const wanted = useRef(false);
  useEffect(() => {
    const wrong = Object.keys(errors);
    if (!wanted.current || wrong.length === 0) return;
    wanted.current = false;
    // What is wrong with no field of its own is told below the form.
    const [first] = wrong.map((path) => getInputNode(path)).filter((node) => node !== null);
    first?.focus();
  }, [errors, getInputNode]);
  return () => {
    wanted.current = true;
  };
}

function addTarget(form: RuleForm) {
  const { targets } = form.getValues();
  const taken = new Set(targets.map(({ name }) => name));
  let number = targets.length + 1;
  while (taken.has(`target-${number}`)) number += 1;
  form.insertListItem("targets", newTarget(`target-${number}`));
}

function WhenItRuns({ form }: { form: RuleForm }) {
  const { schedule, zone, source } = form.values;
  return (
    <Part
      title="When"
      lead={
        source.kind === "bucket"
          ? "When a file comes and when it is asked to; by the clock, too, where you say so."
          : "When it is asked to; by the clock, too, where you say so."
      }
    >
      <TextInput
        {...CODE}
        label="By the clock"
        description="Cron: minute, hour, day, month, weekday; empty: not."
        placeholder="*/10 * * * *"
        classNames={{ input: "mono" }}
        {...form.getInputProps("schedule")}
      />
      <ZoneSelect {...FIELD} description="Of these times" {...form.getInputProps("zone")} />
      <Wide>
        <SchedulePreview cron={schedule} zone={zone} />
      </Wide>
    </Part>
  );
}

const NUMBER = { min: 1, allowDecimal: false, hideControls: true } as const;

function HowItRuns({ form }: { form: RuleForm }) {
  return (
    <Part title="How">
      <NumberInput
        {...FIELD}
        {...NUMBER}
        label="Files at once"
        description="Empty: as the server is set."
        placeholder="as the server is set"
        {...form.getInputProps("at_once")}
      />
      <NumberInput
        {...FIELD}
        {...NUMBER}
        label="Attempts"
        description="Then a file rests among the failed."
        placeholder="as the server is set"
        {...form.getInputProps("attempts")}
      />
      <Wide>
        <Switch
          label="Remove at the target what was deleted at the source"
          description="Off: it stays there."
          {...form.getInputProps("remove", { type: "checkbox" })}
        />
      </Wide>
      <Folded
        label="Tell somebody how passes went"
        initially={toldOf(form.values.report)}
        open={hasErrors(form, "report")}
      >
        <TextInput
          {...CODE}
          label="Address that is told"
          placeholder="nobody; https://example.org/passes"
          inputMode="url"
          {...form.getInputProps("report.url")}
        />
        <TextInput
          {...FIELD}
          label="People who get an e-mail"
          description="Addresses with commas between; the server's settings name the mail server."
          placeholder="nobody; anna@example.org"
          {...form.getInputProps("report.email")}
        />
        <SecretSelect
          {...FIELD}
          label="Reports signed with"
          about="Without one they are not signed."
          placeholder="not signed"
          clearable
          {...form.getInputProps("report.secret")}
        />
        <Wide>
          <Switch
            label="Only of passes with failures"
            {...form.getInputProps("report.failures_only", { type: "checkbox" })}
          />
        </Wide>
      </Folded>
    </Part>
  );
}

function toldOf({ url, email }: SyncValues["report"]): boolean {
  return url !== "" || email !== "";
}
