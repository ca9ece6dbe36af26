// The older versions of a file: each can be looked at, and brought back.
import { Button, Group, Text, Title } from "@mantine/core";
import { IconArrowBackUp, IconDownload } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { fileQuery, may, pastAddress, purgeFile, restoreFile, versionPages } from "../../api/files";
import { queryClient } from "../../api/query-client";
import type { Bucket, PastFile, StoredFile } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { confirmDestruction } from "../../components/confirm";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Ago } from "../../components/Times";
import { actorName } from "../../format/actor";
import { bytes } from "../../format/numbers";
import { fullTime } from "../../format/times";
import classes from "./Past.module.css";

interface VersionsProps {
  bucket: Bucket;
  path: string;
  /** Of the current content: with another one, there is another version. */
  etag: string;
  onRestored: (file: StoredFile) => void;
}

export function Versions({ bucket, path, etag, onRestored }: VersionsProps) {
  const options = versionPages(bucket.name, path);
  const query = useInfiniteQuery(options);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = query;
  const known = useRef(etag);
  useEffect(() => {
    if (known.current === etag) return;
    known.current = etag;
    void refetch();
  }, [etag, refetch]);
  if (error) {
    return <ErrorPanel title="Its versions could not be read" error={error} onRetry={refetch} />;
  }
  const versions = data?.pages.flatMap(({ items }) => items) ?? [];
  if (versions.length === 0) return null;
  return (
    <section aria-labelledby="versions">
      <Title order={2} size="h3" id="versions" mb="xs">
        Older versions
      </Title>
      <ul className={`card ${classes.list}`}>
        {versions.map((version) => (
          <Version key={version.id} bucket={bucket} version={version} onRestored={onRestored} />
        ))}
      </ul>
      {hasNextPage && (
        <ActButton
          mt="xs"
          size="xs"
          variant="default"
          busy={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {isFetchingNextPage ? "Reading more…" : "Show more"}
        </ActButton>
      )}
    </section>
  );
}

interface VersionProps {
  bucket: Bucket;
  version: PastFile;
  onRestored: (file: StoredFile) => void;
}

function Version({ bucket, version, onRestored }: VersionProps) {
  const { id, path, size, modified_at, uploader, removed_at, removed_by } = version;
  const reread = () =>
    queryClient.invalidateQueries({ queryKey: versionPages(bucket.name, path).queryKey });
  const restoring = useMutation({
    mutationFn: () => restoreFile(bucket.name, id, { replace: true }),
    onSuccess: (file) => {
      queryClient.setQueryData(fileQuery(bucket.name, path).queryKey, file);
      onRestored(file);
    },
    onSettled: reread,
  });
  const removing = useMutation({
    mutationFn: () => purgeFile(bucket.name, id),
    onSettled: reread,
  });
  const of = `the version of ${fullTime(modified_at)}`;
  const restore = () => {
    if (bucket.versions) {
      restoring.mutate();
      return;
    }
    confirmDestruction({
      action: `Restore ${of}`,
      consequences: [
        "This bucket keeps no versions any more: what the file holds now is gone for good.",
      ],
      onConfirm: () => restoring.mutate(),
    });
  };
  const failed = [restoring, removing].find(({ error }) => error !== null);
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <Text size="sm">
          {fullTime(modified_at)}, {bytes(size)}, by {actorName(uploader)}
        </Text>
        <Text size="xs" c="dimmed">
          replaced <Ago time={removed_at} /> by {actorName(removed_by)}
        </Text>
      </div>
      <Group gap="xs">
        {may(bucket, "read", path) && (
          <Button
            size="xs"
            variant="subtle"
            color="gray"
            component="a"
            href={pastAddress(bucket.name, id)}
            download
            aria-label={`Download ${of}`}
            leftSection={<IconDownload size={15} aria-hidden />}
          >
            Download
          </Button>
        )}
        {may(bucket, "write", path) && (
          <ActButton
            size="xs"
            variant="default"
            busy={restoring.isPending}
            aria-label={`Restore ${of}`}
            leftSection={<IconArrowBackUp size={15} aria-hidden />}
            onClick={restore}
          >
            {restoring.isPending ? "Restoring…" : "Restore"}
          </ActButton>
        )}
        {may(bucket, "delete", path) && (
          <ActButton
            size="xs"
            variant="subtle"
            color="gray"
            busy={removing.isPending}
            aria-label={`Remove ${of} for good`}
            onClick={() =>
              confirmDestruction({
                action: `Remove ${of} for good`,
                consequences: [`${bytes(size)} come free. There is no way back.`],
                onConfirm: () => removing.mutate(),
              })
            }
          >
            {removing.isPending ? "Removing…" : "Remove"}
          </ActButton>
        )}
      </Group>
      {failed && (
        <ErrorPanel title="That did not work" error={failed.error} onDismiss={failed.reset} />
      )}
    </li>
  );
}
