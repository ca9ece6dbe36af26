// What was deleted and can come back.
import { Button, Group, Text } from "@mantine/core";
import { IconArrowBackUp, IconTrash } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { may, trashPages } from "../../api/files";
import { queryClient } from "../../api/query-client";
import type { Bucket, PastFile } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { confirmDestruction } from "../../components/confirm";
import { EmptyState } from "../../components/EmptyState";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Ago, Until } from "../../components/Times";
import { Waiting } from "../../components/Waiting";
import { actorName } from "../../format/actor";
import { bytes, count, counted } from "../../format/numbers";
import { bringBack, purge } from "./acts";
import classes from "./Trash.module.css";

const nowhere = { put: () => {} };

export function TrashView({ bucket }: { bucket: Bucket }) {
  const options = trashPages(bucket.name);
  const query = useInfiniteQuery(options);
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = query;
  const [busy, setBusy] = useState(false);
  if (isPending) return <Waiting what="Reading the trash…" />;
  if (error && !data) {
    return <ErrorPanel title="The trash could not be read" error={error} onRetry={refetch} />;
  }
  const items = data.pages.flatMap((page) => page.items);
  const after = async (done: Promise<unknown>) => {
    setBusy(true);
    try {
      await done;
    } finally {
      setBusy(false);
      await queryClient.resetQueries({ queryKey: options.queryKey });
    }
  };
  if (items.length === 0 && !hasNextPage) {
    return (
      <div className="card">
        <EmptyState
          icon={<IconTrash size={34} stroke={1.4} aria-hidden />}
          sentence={
            bucket.trash_seconds > 0
              ? "The trash is empty. What is deleted waits here until its time is over."
              : "This bucket keeps nothing that is deleted. An admin can give it a trash in its settings."
          }
        />
      </div>
    );
  }
  const removal = (files: readonly PastFile[], what: string) =>
    confirmDestruction({
      action: `Remove ${what} for good`,
      consequences: [
        `${bytes(files.reduce((sum, { size }) => sum + size, 0))} come free. There is no way back.`,
      ],
      onConfirm: () => void after(purge(bucket.name, files)),
    });
  const mayDelete = may(bucket, "delete");
  const listed = hasNextPage ? `these ${count(items.length)} files` : counted(items.length, "file");
  return (
    <>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {listed} {hasNextPage ? "and more" : ""}
        </Text>
        {mayDelete && (
          <ActButton size="xs" variant="default" busy={busy} onClick={() => removal(items, listed)}>
            Remove {listed} for good
          </ActButton>
        )}
      </Group>
      <ul className={`card ${classes.list}`} aria-label="Deleted files">
        {items.map((file) => (
          <TrashRow
            key={file.id}
            file={file}
            bucket={bucket}
            busy={busy}
            onRestore={() => void after(bringBack(bucket.name, [file], nowhere))}
            onRemove={() => removal([file], file.path)}
          />
        ))}
      </ul>
      {hasNextPage && (
        <Group justify="center">
          <ActButton
            variant="default"
            busy={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            {isFetchingNextPage ? "Reading more…" : "Show more"}
          </ActButton>
        </Group>
      )}
    </>
  );
}

interface TrashRowProps {
  file: PastFile;
  bucket: Bucket;
  busy: boolean;
  onRestore: () => void;
  onRemove: () => void;
}

function TrashRow({ file, bucket, busy, onRestore, onRemove }: TrashRowProps) {
  const over = new Date(Date.parse(file.removed_at) + bucket.trash_seconds * 1000).toISOString();
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <Text className={classes.path}>{file.path}</Text>
        <Text size="xs" c="dimmed" className="figures">
          {bytes(file.size)} · deleted <Ago time={file.removed_at} /> by{" "}
          {actorName(file.removed_by)} · goes for good <Until time={over} />
        </Text>
      </div>
      <Group gap="xs" wrap="nowrap">
        {may(bucket, "write", file.path) && (
          <ActButton
            size="xs"
            variant="default"
            busy={busy}
            aria-label={`Restore ${file.path}`}
            leftSection={<IconArrowBackUp size={15} aria-hidden />}
            onClick={onRestore}
          >
            Restore
          </ActButton>
        )}
        {may(bucket, "delete", file.path) && (
          <Button
            size="xs"
            variant="subtle"
            color="gray"
            aria-label={`Remove ${file.path} for good`}
            onClick={onRemove}
          >
            Remove
          </Button>
        )}
      </Group>
    </li>
  );
}
