// A bucket's rules and what it holds; admins change them.
import { Button, Drawer, Group, NumberInput, Stack, Switch, Text, Textarea } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { bucketList, bucketQuery, changeBucket, deleteBucket, may } from "../../api/files";
import { queryClient } from "../../api/query-client";
import type { Bucket } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { confirmDestruction } from "../../components/confirm";
import { ErrorPanel } from "../../components/ErrorPanel";
import { bytes, count, counted } from "../../format/numbers";
import { changeOf, type Rules, rulesOf } from "./bucket-rules";
import classes from "./Preview.module.css";

interface BucketDrawerProps {
  opened: boolean;
  onClose: () => void;
  bucket: Bucket;
}

export function BucketDrawer({ opened, onClose, bucket }: BucketDrawerProps) {
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      position="right"
      size="min(520px, 94vw)"
      title={`Bucket ${bucket.name}`}
    >
      <Stack gap="lg">
        <Holds bucket={bucket} />
        {may(bucket, "change") ? (
          <>
            <RulesForm bucket={bucket} />
            <Removal bucket={bucket} onDone={onClose} />
          </>
        ) : (
          <Text size="sm" c="dimmed">
            Its rules are changed by admins.
          </Text>
        )}
      </Stack>
    </Drawer>
  );
}

function Holds({
  bucket: { usage, storage, hosts, quota_bytes, quota_files },
}: {
  bucket: Bucket;
}) {
  return (
    <dl className={classes.facts}>
      <dt>Holds</dt>
      <dd>
        {counted(usage.files, "file")}
        {quota_files ? ` of ${count(quota_files)}` : ""}, {bytes(usage.bytes)}
        {quota_bytes ? ` of ${bytes(quota_bytes)}` : ""}, trash and versions included
      </dd>
      <dt>Storage</dt>
      <dd>
        {storage.kind === "disk"
          ? "the disk of this server"
          : `${storage.bucket} at ${storage.endpoint}`}
      </dd>
      <dt>Domains</dt>
      <dd>{hosts.length === 0 ? "none" : hosts.join(", ")}</dd>
    </dl>
  );
}

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
  const changed = Object.keys(changeOf(before, rules)).length > 0;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (changed) saving.mutate();
  };
  const limit = { min: 0, decimalScale: 3, hideControls: true, placeholder: "no limit" } as const;
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <Textarea
          label="Domains"
          description="Host names on which it answers by itself, one a line."
          autosize
          minRows={1}
          value={rules.hosts}
          onChange={(event) => set({ hosts: event.currentTarget.value })}
          spellCheck={false}
        />
        <Switch
          label="Anybody may read"
          description="Its files are got without a password. Lists still take one."
          checked={rules.public_read}
          onChange={(event) => set({ public_read: event.currentTarget.checked })}
        />
        <Switch
          label="Open to roles"
          description="Viewers list and read, operators also write, delete and share. Off: grants alone open it."
          checked={rules.by_role}
          onChange={(event) => set({ by_role: event.currentTarget.checked })}
        />
        <Switch
          label="Keep versions"
          description="What is overwritten or deleted stays, and counts against the quota."
          checked={rules.versions}
          onChange={(event) => set({ versions: event.currentTarget.checked })}
        />
        <NumberInput
          label="Days in the trash"
          description="So long can a deleted file come back; 0 is not at all."
          min={0}
          max={3650}
          decimalScale={3}
          hideControls
          value={rules.trashDays}
          onChange={(trashDays) => set({ trashDays })}
        />
        <NumberInput
          {...limit}
          label="Most GiB"
          value={rules.quotaGib}
          onChange={(quotaGib) => set({ quotaGib })}
        />
        <NumberInput
          {...limit}
          decimalScale={0}
          label="Most files"
          value={rules.quotaFiles}
          onChange={(quotaFiles) => set({ quotaFiles })}
        />
        <NumberInput
          {...limit}
          label="Most GiB of one user"
          value={rules.userQuotaGib}
          onChange={(userQuotaGib) => set({ userQuotaGib })}
        />
        {saving.error && <ErrorPanel title="It was not saved" error={saving.error} />}
        <Group gap="xs">
          <ActButton type="submit" busy={saving.isPending || !changed}>
            {saving.isPending ? "Saving…" : changed ? "Save" : "Nothing is changed"}
          </ActButton>
          {changed && (
            <Button variant="default" onClick={() => setRules(before)}>
              Undo changes
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}

function Removal({ bucket, onDone }: { bucket: Bucket; onDone: () => void }) {
  const navigate = useNavigate();
  const removing = useMutation({
    mutationFn: () => deleteBucket(bucket.name),
    onSuccess: async () => {
      onDone();
      await queryClient.invalidateQueries({ queryKey: bucketList.queryKey });
      await navigate({ to: "/files" });
    },
  });
  return (
    <Stack gap="xs">
      <div>
        <ActButton
          size="xs"
          variant="default"
          busy={removing.isPending}
          onClick={() =>
            confirmDestruction({
              action: `Delete the bucket ${bucket.name}`,
              consequences: ["Only an empty bucket goes: its files stay until they are deleted."],
              onConfirm: () => removing.mutate(),
            })
          }
        >
          {removing.isPending ? "Deleting it…" : "Delete bucket"}
        </ActButton>
      </div>
      {removing.error && (
        <ErrorPanel
          title="The bucket was not deleted"
          error={removing.error}
          onDismiss={removing.reset}
        />
      )}
    </Stack>
  );
}
