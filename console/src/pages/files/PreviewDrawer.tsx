// A file beside the list: what it looks like, and what is known of it.
import { ActionIcon, Button, Drawer, Group, Tooltip } from "@mantine/core";
import {
  IconChevronLeft,
  IconChevronRight,
  IconDownload,
  IconFolderSymlink,
  IconTrash,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type ReactNode, useMemo } from "react";
import { fileAddress, fileQuery, may } from "../../api/files";
import type { Bucket, StoredFile } from "../../api/types";
import { CopyButton } from "../../components/CopyButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Waiting } from "../../components/Waiting";
import { FileFacts } from "./FileFacts";
import { MetadataForm } from "./MetadataForm";
import { Preview } from "./Preview";
import classes from "./Preview.module.css";
import { nameOf } from "./place";
import { fileKey, type Row } from "./rows";
import { Versions } from "./Versions";

interface PreviewDrawerProps {
  bucket: Bucket;
  path: string | undefined;
  rows: readonly Row[];
  onOpen: (path: string | undefined) => void;
  onMove: (row: Row) => void;
  onDelete: (row: Row) => void;
  onChanged: (file: StoredFile) => void;
}

export function PreviewDrawer(props: PreviewDrawerProps) {
  const { path, onOpen } = props;
  return (
    <Drawer
      opened={path !== undefined}
      onClose={() => onOpen(undefined)}
      position="right"
      size="min(760px, 94vw)"
      title={<span className={classes.title}>{path === undefined ? "" : nameOf(path)}</span>}
    >
      {path !== undefined && <Looked key={path} {...props} path={path} />}
    </Drawer>
  );
}

function Looked(props: PreviewDrawerProps & { path: string }) {
  const { bucket, path, rows, onOpen, onMove, onDelete, onChanged } = props;
  const { data: file, error, refetch } = useQuery(fileQuery(bucket.name, path));
  const [before, after] = useNeighbours(rows, path);
  const turn = (event: KeyboardEvent) => {
    if (
      event.target instanceof HTMLElement &&
      event.target.matches("input, textarea, video, audio, pre")
    ) {
      return;
    }
    const next =
      event.key === "ArrowLeft" ? before : event.key === "ArrowRight" ? after : undefined;
    if (next === undefined) return;
    event.preventDefault();
    onOpen(next);
  };
  if (error) {
    return <ErrorPanel title="The file could not be read" error={error} onRetry={refetch} />;
  }
  if (!file) return <Waiting what="Reading what is known of the file…" />;
  const row: Row = { kind: "file", key: fileKey(path), path, file };
  const mayDelete = may(bucket, "delete", path);
  return (
    // Keys that lead to the file beside this one, wherever the focus is in here.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <div className={classes.whole} onKeyDown={turn}>
      <Group gap="xs">
        <Turn label="The file before (←)" path={before} onOpen={onOpen}>
          <IconChevronLeft size={18} aria-hidden />
        </Turn>
        <Turn label="The next file (→)" path={after} onOpen={onOpen}>
          <IconChevronRight size={18} aria-hidden />
        </Turn>
        {may(bucket, "read", path) && (
          <Button
            size="xs"
            component="a"
            href={fileAddress(bucket.name, path, "?download=1")}
            download
            leftSection={<IconDownload size={15} aria-hidden />}
          >
            Download
          </Button>
        )}
        <CopyButton
          value={`${location.origin}${fileAddress(bucket.name, path)}`}
          label="Copy address"
        />
        {mayDelete && may(bucket, "write", path) && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconFolderSymlink size={15} aria-hidden />}
            onClick={() => onMove(row)}
          >
            Move
          </Button>
        )}
        {mayDelete && (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconTrash size={15} aria-hidden />}
            onClick={() => onDelete(row)}
          >
            Delete
          </Button>
        )}
      </Group>
      {may(bucket, "read", path) && <Preview bucket={bucket.name} file={file} />}
      <FileFacts file={file} />
      <MetadataForm
        key={file.etag}
        bucket={bucket.name}
        file={file}
        editable={may(bucket, "write", path)}
        onChanged={onChanged}
      />
      {may(bucket, "list", path) && (
        <Versions bucket={bucket} path={path} etag={file.etag} onRestored={onChanged} />
      )}
    </div>
  );
}

function useNeighbours(rows: readonly Row[], path: string) {
  return useMemo(() => {
    const at = rows.findIndex((row) => row.kind === "file" && row.path === path);
    if (at === -1) return [undefined, undefined] as const;
    const [before, after] = [rows[at - 1], rows[at + 1]];
    return [
      before?.kind === "file" ? before.path : undefined,
      after?.kind === "file" ? after.path : undefined,
    ] as const;
  }, [rows, path]);
}

interface TurnProps {
  label: string;
  path: string | undefined;
  onOpen: (path: string) => void;
  children: ReactNode;
}

function Turn({ label, path, onOpen, children }: TurnProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="default"
        size={30}
        aria-label={label}
        disabled={path === undefined}
        onClick={() => path !== undefined && onOpen(path)}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
