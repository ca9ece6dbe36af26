// What is done with chosen files and folders. A folder is all the files below it.
import { Button, Group } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { deleteFile, filesBelow, moveFile, purgeFile, restoreFile } from "../../api/files";
import { queryClient } from "../../api/query-client";
import type { Bucket, PastFile, StoredFile } from "../../api/types";
import { confirmDestruction } from "../../components/confirm";
import { bytes, counted } from "../../format/numbers";
import { span } from "../../format/times";
import { nameOf } from "./place";
import { fileKey, type Row } from "./rows";
import { WhatGoes } from "./WhatGoes";
import { work } from "./work";

const UNDO_MS = 12_000;

/** All files of the rows, folder after folder. */
export function expanded(bucket: string, rows: readonly Row[]) {
  return async function* (signal: AbortSignal): AsyncGenerator<readonly StoredFile[]> {
    yield rows.flatMap((row) => (row.kind === "file" ? [row.file] : []));
    for (const row of rows) if (row.kind === "folder") yield* filesBelow(bucket, row.path, signal);
  };
}

/** "a.txt", "the folder covers", "3 files and 1 folder". */
export function named(rows: readonly Row[]): string {
  const [only, ...others] = rows;
  if (!only) return "nothing";
  if (others.length === 0) {
    return only.kind === "file" ? nameOf(only.path) : `the folder ${nameOf(only.path)}`;
  }
  const folders = rows.filter(({ kind }) => kind === "folder").length;
  const files = rows.length - folders;
  const words = [];
  if (files > 0) words.push(counted(files, "file"));
  if (folders > 0) words.push(counted(folders, "folder"));
  return words.join(" and ");
}

export function sizeOf(rows: readonly Row[]): number {
  return rows.reduce((sum, row) => sum + (row.kind === "file" ? row.file.size : 0), 0);
}

interface Changes {
  put: (files: readonly StoredFile[]) => void;
  drop: (keys: ReadonlySet<string>) => void;
  reread: () => void;
}

/** Asks only where it cannot be undone, or where nobody sees how much it is. */
export function deleteRows(bucket: Bucket, rows: readonly Row[], change: Changes): void {
  const kept = bucket.trash_seconds > 0 || bucket.versions;
  const go = () => void deleteNow(bucket, rows, kept, change);
  if (kept && rows.every(({ kind }) => kind === "file")) {
    go();
    return;
  }
  const folders = rows.some(({ kind }) => kind === "folder");
  confirmDestruction({
    action: `Delete ${named(rows)}`,
    consequences: [
      folders ? (
        <WhatGoes key="goes" bucket={bucket.name} rows={rows} />
      ) : (
        `${bytes(sizeOf(rows))} go.`
      ),
      bucket.trash_seconds > 0
        ? `It stays in the trash for ${span(bucket.trash_seconds * 1000)}, and can come back until then.`
        : kept
          ? "It stays as a version, and can come back."
          : "This bucket has no trash: it is gone for good.",
    ],
    onConfirm: go,
  });
}

// What was deleted last, as long as its toast stands.
let undo: { id: string; run: () => void } | null = null;

/** Brings back what was deleted last; whether there was something. */
export function undoLast(): boolean {
  if (!undo) return false;
  undo.run();
  return true;
}

async function deleteNow(bucket: Bucket, rows: readonly Row[], kept: boolean, change: Changes) {
  const { done, failures, cancelled } = await work({
    title: "Deleting",
    items: expanded(bucket.name, rows),
    path: ({ path }) => path,
    act: ({ path }, signal) => deleteFile(bucket.name, path, signal),
  });
  const gone = new Set(done.map(({ item }) => fileKey(item.path)));
  if (failures.length === 0 && !cancelled) for (const { key } of rows) gone.add(key);
  change.drop(gone);
  void queryClient.invalidateQueries({ queryKey: ["bucket", bucket.name] });
  if (done.length === 0) return;
  const what = done.length === 1 ? nameOf(done[0]?.item.path ?? "") : counted(done.length, "file");
  const where = bucket.trash_seconds > 0 ? "in the trash" : "deleted";
  const id = `undo-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  const run = () => {
    undo = null;
    notifications.hide(id);
    void bringBack(
      bucket.name,
      done.map(({ result }) => result),
      change,
    );
  };
  if (kept) undo = { id, run };
  notifications.show({
    id,
    // Also when it is hidden, so that nothing is undone twice.
    onClose: () => {
      if (undo?.id === id) undo = null;
    },
    position: "bottom-center",
    autoClose: UNDO_MS,
    closeButtonProps: { "aria-label": "Dismiss" },
    message: (
      <Group justify="space-between" wrap="nowrap">
        <span style={{ overflowWrap: "anywhere" }}>
          {what} {done.length === 1 ? "is" : "are"} {where}.
        </span>
        {kept && (
          <Button size="compact-sm" variant="default" style={{ flexShrink: 0 }} onClick={run}>
            Undo
          </Button>
        )}
      </Group>
    ),
  });
}

/** Restores deleted files; what lies at their paths now stays. */
export async function bringBack(
  bucket: string,
  files: readonly (StoredFile | PastFile)[],
  change: Pick<Changes, "put">,
) {
  const outcome = await work({
    title: "Restoring",
    items: () => once(files),
    path: ({ path }) => path,
    act: ({ id }, signal) => restoreFile(bucket, id, { signal }),
  });
  change.put(outcome.done.map(({ result }) => result));
  void queryClient.invalidateQueries({ queryKey: ["bucket", bucket] });
  return outcome;
}

export function purge(bucket: string, files: readonly PastFile[]) {
  return work({
    title: "Removing for good",
    items: () => once(files),
    path: ({ path }) => path,
    act: ({ id }, signal) => purgeFile(bucket, id, signal),
  });
}

/** Moves every file to what `target` says of its path. */
export async function moveRows(
  bucket: string,
  rows: readonly Row[],
  toBucket: string,
  target: (path: string) => string,
  change: Changes,
) {
  const outcome = await work({
    title: "Moving",
    items: expanded(bucket, rows),
    path: ({ path }) => path,
    act: ({ path }, signal) =>
      moveFile(bucket, { from: path, to: target(path), to_bucket: toBucket }, signal),
  });
  const gone = new Set(outcome.done.map(({ item }) => fileKey(item.path)));
  if (outcome.failures.length === 0 && !outcome.cancelled) {
    for (const { key } of rows) gone.add(key);
  }
  change.drop(gone);
  if (toBucket === bucket) change.put(outcome.done.map(({ result }) => result));
  return outcome;
}

async function* once<T>(items: readonly T[]): AsyncGenerator<readonly T[]> {
  yield items;
}
