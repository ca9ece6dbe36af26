// A bucket's rules in one form, saved at once; what would change is said before it is.
import { NumberInput, Switch, Text, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { bucketList, bucketQuery, changeBucket } from "../../api/files";
import { queryClient } from "../../api/query-client";
import type { Bucket } from "../../api/types";
import { StayHere } from "../../components/StayHere";
import { Panel } from "../settings/Panel";
import { PanelForm, Wide } from "../settings/PanelForm";
import { changeOf, differences, type Rules, rulesOf } from "./bucket-rules";
import { useBucket } from "./use-bucket";

export function RulesPanel() {
  const bucket = useBucket();
  return (
    <Panel title="Rules" lead="What holds for every file in it, from the moment they are saved.">
      <RulesForm key={bucket.id} bucket={bucket} />
    </Panel>
  );
}

const LIMIT = { min: 0, decimalScale: 3, hideControls: true, placeholder: "no limit" } as const;

function RulesForm({ bucket }: { bucket: Bucket }) {
  const [before, setBefore] = useState(() => rulesOf(bucket));
  const [rules, setRules] = useState(before);
  const saving = useMutation({
    mutationFn: () => changeBucket(bucket.name, changeOf(before, rules)),
    onSuccess: (saved) => {
      queryClient.setQueryData(bucketQuery(bucket.name).queryKey, saved);
      void queryClient.invalidateQueries({ queryKey: bucketList.queryKey });
      setBefore(rulesOf(saved));
      setRules(rulesOf(saved));
    },
  });
  const set = (part: Partial<Rules>) => setRules((now) => ({ ...now, ...part }));
  const different = differences(before, rules);
  const changed = different.length > 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (changed && !saving.isPending) saving.mutate();
  };
  return (
    <PanelForm
      saving={saving}
      words={{
        save: changed ? "Save" : "Nothing is changed",
        saving: "Saving…",
        failed: "It was not saved",
      }}
      idle={!changed}
      onSubmit={submit}
      {...(changed ? { onLeave: () => setRules(before), leave: "Undo changes" } : {})}
      foot={changed && <Different lines={different} />}
    >
      <Wide>
        <Textarea
          label="Domains"
          description="Host names on which it answers by itself, one a line."
          autosize
          minRows={1}
          value={rules.hosts}
          onChange={(event) => set({ hosts: event.currentTarget.value })}
          spellCheck={false}
        />
      </Wide>
      <Wide>
        <Switch
          label="Anybody may read"
          description="Its files are got without a password. Lists still take one."
          checked={rules.public_read}
          onChange={(event) => set({ public_read: event.currentTarget.checked })}
        />
      </Wide>
      <Wide>
        <Switch
          label="Open to roles"
          description="Viewers list and read, operators also write, delete and share. Off: grants alone open it."
          checked={rules.by_role}
          onChange={(event) => set({ by_role: event.currentTarget.checked })}
        />
      </Wide>
      <Wide>
        <AuthoriserSwitch
          address={bucket.authoriser_url ?? null}
          asked={rules.asked}
          onChange={(asked) => set({ asked })}
        />
      </Wide>
      <Wide>
        <Switch
          label="Keep versions"
          description="What is overwritten or deleted stays, and counts against the quota."
          checked={rules.versions}
          onChange={(event) => set({ versions: event.currentTarget.checked })}
        />
      </Wide>
      <NumberInput
        label="Days in the trash"
        description="Then it is gone for good; 0 is at once."
        min={0}
        max={3650}
        decimalScale={3}
        hideControls
        value={rules.trashDays}
        onChange={(trashDays) => set({ trashDays })}
      />
      <NumberInput
        {...LIMIT}
        label="Redirect above MiB"
        description="Larger files are got by a signed address."
        placeholder="never"
        value={rules.redirectMib}
        onChange={(redirectMib) => set({ redirectMib })}
      />
      <NumberInput
        {...LIMIT}
        label="Most GiB"
        description="Trash and versions included."
        value={rules.quotaGib}
        onChange={(quotaGib) => set({ quotaGib })}
      />
      <NumberInput
        {...LIMIT}
        decimalScale={0}
        label="Most files"
        description="Trash and versions included."
        value={rules.quotaFiles}
        onChange={(quotaFiles) => set({ quotaFiles })}
      />
      <NumberInput
        {...LIMIT}
        label="Most GiB of one user"
        description="In this bucket."
        value={rules.userQuotaGib}
        onChange={(userQuotaGib) => set({ userQuotaGib })}
      />
      <StayHere while={changed && !saving.isPending} what="the rules" />
    </PanelForm>
  );
}

interface AuthoriserSwitchProps {
  address: string | null;
  asked: boolean;
  onChange: (asked: boolean) => void;
}

function AuthoriserSwitch({ address, asked, onChange }: AuthoriserSwitchProps) {
  // One that is on can always be switched off.
  const possible = address !== null || asked;
  return (
    <Switch
      label="Ask the authoriser"
      description={
        address !== null
          ? `Of those whom Longshore does not know, ${address} decides.`
          : "There is no endpoint to be asked: set authoriser.url in the configuration first."
      }
      disabled={!possible}
      checked={asked}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}

function Different({ lines }: { lines: ReturnType<typeof differences> }) {
  return (
    <section aria-label="What will change">
      {lines.map(({ name, from, to }) => (
        <Text key={name} size="sm" style={{ overflowWrap: "anywhere" }}>
          <b>{name}</b>: {from} → {to}
        </Text>
      ))}
    </section>
  );
}
