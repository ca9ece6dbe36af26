// Moving and renaming: one file to another path, several into a folder.
import { Button, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { bucketList, mayAnywhere } from "../../api/files";
import type { Bucket } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { moveRows, named } from "./acts";
import { moveTarget, targetProblem } from "./move";
import { asFolder, folderOf } from "./place";
import { fileKey, type Row } from "./rows";
import type { useFolder } from "./use-folder";

interface MoveDialogProps {
  bucket: Bucket;
  folder: string;
  rows: readonly Row[];
  change: ReturnType<typeof useFolder>["change"];
  onMoved: (gone: ReadonlySet<string>) => void;
  onClose: () => void;
}

export function MoveDialog(props: MoveDialogProps) {
  const single = props.rows.length === 1;
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={`${single ? "Move or rename" : "Move"} ${named(props.rows)}`}
    >
      <MoveForm {...props} />
    </Modal>
  );
}

function MoveForm({ bucket, folder, rows, change, onMoved, onClose }: MoveDialogProps) {
  const only = rows.length === 1 ? rows[0] : undefined;
  const { data: buckets } = useQuery(bucketList);
  const [toBucket, setToBucket] = useState(bucket.name);
  const [to, setTo] = useState(only ? only.path : folder);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const targets = buckets?.items.filter((other) => mayAnywhere(other, "write")) ?? [bucket];
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wrong = targetProblem(rows, to, toBucket === bucket.name);
    setProblem(wrong);
    if (wrong || busy) return;
    setBusy(true);
    try {
      const target = moveTarget(rows, to);
      const outcome = await moveRows(bucket.name, rows, toBucket, target, change);
      onMoved(new Set(outcome.done.map(({ item }) => fileKey(item.path))));
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {targets.length > 1 && (
          <Select
            label="Bucket"
            data={targets.map(({ name }) => name)}
            value={toBucket}
            allowDeselect={false}
            onChange={(name) => setToBucket(name ?? bucket.name)}
          />
        )}
        <TextInput
          label={only ? "New path" : "Folder"}
          description={
            only
              ? "Folders are parts of the path; those that do not exist yet come with it."
              : "Nothing is the top of the bucket. A folder that does not exist yet comes with it."
          }
          value={to}
          error={problem}
          onChange={(event) => setTo(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
        />
        <Text size="sm" c="dimmed">
          Where something lies there already, it stays, and what was to be moved does, too.
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <ActButton type="submit" busy={busy}>
            {busy ? "Moving…" : `Move to ${only ? shortly(to) : asFolder(to) || "the top"}`}
          </ActButton>
        </Group>
      </Stack>
    </form>
  );
}

function shortly(path: string): string {
  const bare = path.endsWith("/") ? path.slice(0, -1) : path;
  return bare.slice(folderOf(bare).length) || "…";
}
