// What was deleted or overwritten and can come back: one by one, or what is chosen.
import { Button, Checkbox, Group, Text } from "@mantine/core";
import { IconArrowBackUp, IconDownload, IconHistory, IconTrash } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Heap, may, pastAddress, pastPages } from "../../api/files";
import { queryClient } from "../../api/query-client";
import type { Bucket, PastFile } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { confirmDestruction } from "../../components/confirm";
import { EmptyState } from "../../components/EmptyState";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ButtonLink } from "../../components/links";
import { Ago, Until } from "../../components/Times";
import { Waiting } from "../../components/Waiting";
import { actorName } from "../../format/actor";
import { bytes, count, counted } from "../../format/numbers";
import { bringBack, purge } from "./acts";
import classes from "./Past.module.css";
import { useChosen } from "./use-chosen";

const nowhere = { put: () => {} };

const WORDS = {
  trash: { reading: "Reading the trash…", failed: "The trash", list: "Deleted files" },
  versions: { reading: "Reading the versions…", failed: "The versions", list: "Older versions" },
} as const;

export function PastView({ bucket, heap }: { bucket: Bucket; heap: Heap }) {
  const options = pastPages(bucket.name, heap);
  const query = useInfiniteQuery(options);
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = query;
  const [busy, setBusy] = useState(false);
  const items = data?.pages.flatMap((page) => page.items) ?? [];
  const { chosen, isChosen, toggle, all, none } = useChosen(items);
  const words = WORDS[heap];
  if (isPending) return <Waiting what={words.reading} />;
  if (error && !data) {
    return (
      <ErrorPanel title={`${words.failed} could not be read`} error={error} onRetry={refetch} />
    );
  }
  const after = async (done: Promise<unknown>) => {
    setBusy(true);
    try {
      await done;
    } finally {
      setBusy(false);
      none();
      await queryClient.resetQueries({ queryKey: options.queryKey });
    }
  };
  if (items.length === 0 && !hasNextPage) return <Nothing bucket={bucket} heap={heap} />;
  const restore = (files: readonly PastFile[]) =>
    void after(bringBack(bucket.name, files, nowhere));
  const removal = (files: readonly PastFile[], what: string) =>
    confirmDestruction({
      action: `Remove ${what} for good`,
      consequences: [`${bytes(sizeOf(files))} come free. There is no way back.`],
      onConfirm: () => void after(purge(bucket.name, files)),
    });
  const mayDelete = may(bucket, "delete");
  const listed = hasNextPage ? `these ${count(items.length)} files` : counted(items.length, "file");
  const meant = chosen.length > 0 ? chosen : items;
  const named = chosen.length > 0 ? counted(chosen.length, "file") : listed;
  return (
    <>
      <Group justify="space-between">
        <Group gap="sm">
          <Checkbox
            size="xs"
            aria-label={chosen.length === items.length ? "Choose nothing" : "Choose all listed"}
            checked={chosen.length === items.length}
            indeterminate={chosen.length > 0 && chosen.length < items.length}
            onChange={() => (chosen.length === items.length ? none() : all())}
          />
          <Text size="sm" c="dimmed" role="status">
            {chosen.length > 0
              ? `${count(chosen.length)} chosen, ${bytes(sizeOf(chosen))}`
              : `${listed}${hasNextPage ? " and more" : ""}`}
          </Text>
        </Group>
        <Group gap="xs">
          {heap === "trash" && chosen.length > 0 && (
            <ActButton
              size="xs"
              busy={busy}
              leftSection={<IconArrowBackUp size={15} aria-hidden />}
              onClick={() => restore(chosen)}
            >
              Restore {named}
            </ActButton>
          )}
          {mayDelete && (
            <ActButton
              size="xs"
              variant="default"
              busy={busy}
              onClick={() => removal(meant, named)}
            >
              Remove {named} for good
            </ActButton>
          )}
        </Group>
      </Group>
      <ul className={`card ${classes.list}`} aria-label={words.list}>
        {items.map((file) => (
          <PastRow
            key={file.id}
            file={file}
            bucket={bucket}
            heap={heap}
            busy={busy}
            chosen={isChosen(file.id)}
            onChoose={() => toggle(file.id)}
            onRestore={() => restore([file])}
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

const sizeOf = (files: readonly PastFile[]) => files.reduce((sum, { size }) => sum + size, 0);

function Nothing({ bucket, heap }: { bucket: Bucket; heap: Heap }) {
  const Icon = heap === "trash" ? IconTrash : IconHistory;
  const keeps = heap === "trash" ? bucket.trash_seconds > 0 : bucket.versions;
  const deleted =
    bucket.trash_seconds > 0
      ? "The trash is empty. What is deleted waits here until its time is over."
      : "This bucket keeps nothing that is deleted. An admin can give it a trash in its settings.";
  const overwritten = bucket.versions
    ? "There is no older version. What is overwritten or deleted comes here."
    : "This bucket keeps nothing that is overwritten. An admin can have it keep versions.";
  return (
    <div className="card">
      <EmptyState
        icon={<Icon size={34} stroke={1.4} aria-hidden />}
        sentence={heap === "trash" ? deleted : overwritten}
        action={
          !keeps &&
          may(bucket, "change") && (
            <ButtonLink to="/buckets/$bucket/rules" params={{ bucket: bucket.name }}>
              Change what it keeps
            </ButtonLink>
          )
        }
      />
    </div>
  );
}

interface PastRowProps {
  file: PastFile;
  bucket: Bucket;
  heap: Heap;
  busy: boolean;
  chosen: boolean;
  onChoose: () => void;
  onRestore: () => void;
  onRemove: () => void;
}

function PastRow(props: PastRowProps) {
  const { file, bucket, heap, busy, chosen, onChoose, onRestore, onRemove } = props;
  const over = new Date(Date.parse(file.removed_at) + bucket.trash_seconds * 1000).toISOString();
  return (
    <li className={classes.row}>
      <Checkbox size="xs" aria-label={`Choose ${file.path}`} checked={chosen} onChange={onChoose} />
      <div className={classes.what}>
        <Text className={classes.path}>{file.path}</Text>
        <Text size="xs" c="dimmed" className="figures">
          {bytes(file.size)} · {heap === "trash" ? "deleted" : "replaced or deleted"}{" "}
          <Ago time={file.removed_at} /> by {actorName(file.removed_by)}
          {heap === "trash" && (
            <>
              {" "}
              · goes for good <Until time={over} />
            </>
          )}
        </Text>
      </div>
      <Group gap="xs" wrap="nowrap">
        {may(bucket, "read", file.path) && may(bucket, "list", file.path) && (
          <Button
            size="xs"
            variant="subtle"
            color="gray"
            component="a"
            href={pastAddress(bucket.name, file.id)}
            download
            aria-label={`Download ${file.path} as it was`}
            leftSection={<IconDownload size={15} aria-hidden />}
          >
            Download
          </Button>
        )}
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
