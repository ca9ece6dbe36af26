// What a sync says: from where, which file to which target, when; and all of it as the
// API has it, which an admin changes here.
import { Text, Textarea, Title } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { useMay } from "../../api/session";
import { changeSync, syncQuery } from "../../api/syncs";
import type { SyncRule, SyncShown } from "../../api/types";
import { CopyLine } from "../../components/CopyLine";
import { StayHere } from "../../components/StayHere";
import { actorName } from "../../format/actor";
import { fullTime } from "../../format/times";
import { PanelForm, Wide } from "../settings/PanelForm";
import { useChange } from "../settings/PanelList";
import settings from "../settings/Settings.module.css";
import classes from "./Syncs.module.css";
import { reportWords, scheduleWords, sourceWords, targetWords, whenWords } from "./sync-words";

export function RuleView({ sync }: { sync: SyncShown }) {
  const { rule, origin, created_by, created_at, changed_at } = sync;
  const admin = useMay("admin");
  const text = JSON.stringify(rule, null, 2);
  return (
    <div className={classes.stack}>
      <dl className={`card ${settings.facts}`}>
        <Fact name="From">{sourceWords(rule.source)}</Fact>
        {rule.targets.map(({ name, when, to }) => (
          <Fact key={name} name={name}>
            {whenWords(when)} → {targetWords(to)}
          </Fact>
        ))}
        <Fact name="When">{scheduleWords(rule)}</Fact>
        <Fact name="At once">{rule.at_once ?? "as the server is set"}</Fact>
        <Fact name="Attempts">{rule.attempts ?? "as the server is set"}</Fact>
        <Fact name="Deleted at the source">
          {rule.remove ? "removed at the target, too" : "stays at the target"}
        </Fact>
        <Fact name="Told of passes">{reportWords(rule)}</Fact>
        <Fact name="Made">
          {fullTime(created_at)} by{" "}
          {origin === "environment" ? "the environment" : actorName(created_by)}, changed{" "}
          {fullTime(changed_at)}
        </Fact>
      </dl>
      {admin && origin === "people" ? (
        <RuleForm key={sync.changed_at} name={sync.name} text={text} />
      ) : (
        <>
          <Title order={2} size="h3">
            As the API has it
          </Title>
          {origin === "environment" && (
            <Text size="sm">It is said by variables of the environment, and changed there.</Text>
          )}
          <CopyLine text={text} label="Copy rule" />
        </>
      )}
    </div>
  );
}

function RuleForm({ name, text }: { name: string; text: string }) {
  const [typed, setTyped] = useState(text);
  const [problem, setProblem] = useState<string | null>(null);
  const saving = useChange({
    change: (rule: SyncRule) => changeSync(name, { rule }),
    list: syncQuery(name),
  });
  const changed = typed !== text;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!changed || saving.isPending) return;
    const rule = readRule(typed);
    setProblem(rule === null ? "This is no JSON object" : null);
    if (rule !== null) saving.mutate(rule);
  };
  return (
    <PanelForm
      saving={saving}
      words={{
        save: changed ? "Save" : "Nothing is changed",
        saving: "Saving…",
        failed: "The rule was not saved",
      }}
      idle={!changed}
      onSubmit={submit}
      {...(changed ? { onLeave: () => setTyped(text), leave: "Undo changes" } : {})}
    >
      <Wide>
        <Textarea
          label="Rule"
          description="As the API has it: names of secrets, and no value of one. With another rule, what no target took is looked at anew."
          autosize
          minRows={6}
          maxRows={30}
          spellCheck={false}
          classNames={{ input: "mono" }}
          value={typed}
          error={problem}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </Wide>
      <StayHere while={changed && !saving.isPending} what="the rule" />
    </PanelForm>
  );
}

function readRule(text: string): SyncRule | null {
  try {
    const value: unknown = JSON.parse(text);
    const object = typeof value === "object" && value !== null && !Array.isArray(value);
    return object ? (value as SyncRule) : null;
  } catch {
    return null;
  }
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={settings.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
