// What can be done with what is chosen; what cannot is not offered.
import { Button, CloseButton } from "@mantine/core";
import { IconDownload, IconFolderSymlink, IconLink, IconTrash } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { fileAddress, may } from "../../api/files";
import type { Bucket } from "../../api/types";
import { bytes, count } from "../../format/numbers";
import { sizeOf } from "./acts";
import { knownWords } from "./amount";
import classes from "./Files.module.css";
import type { Row } from "./rows";
import { useAmount } from "./use-amount";
import { ZipButton } from "./ZipButton";

interface SelectionBarProps {
  bucket: Bucket;
  folder: string;
  rows: readonly Row[];
  zipping: boolean;
  onZip: () => void;
  onMove: () => void;
  onShare: () => void;
  onDelete: () => void;
  onClear: () => void;
  /** Shown while nothing is chosen. */
  children: ReactNode;
}

export function SelectionBar(props: SelectionBarProps) {
  const { bucket, folder, rows, zipping, onZip, onMove, onShare, onDelete, onClear, children } =
    props;
  // Before it is deleted or downloaded, one knows how much it is.
  const amount = useAmount(bucket.name, rows);
  if (rows.length === 0)
    return <div className={`${classes.chosen} ${classes.words}`}>{children}</div>;
  const [only] = rows;
  const single = rows.length === 1 && only?.kind === "file" ? only : null;
  const folders = rows.some(({ kind }) => kind === "folder");
  const mayDelete = may(bucket, "delete", folder);
  return (
    <section className={classes.chosen} aria-label="What is chosen">
      <CloseButton size="sm" aria-label="Choose nothing" onClick={onClear} />
      <span className={`${classes.words} figures`} role="status">
        {count(rows.length)} chosen, {folders ? knownWords(amount) : bytes(sizeOf(rows))}
      </span>
      {single && may(bucket, "read", folder) && (
        <Button
          size="compact-sm"
          variant="default"
          component="a"
          href={fileAddress(bucket.name, single.path, "?download=1")}
          download
          leftSection={<IconDownload size={15} aria-hidden />}
        >
          Download
        </Button>
      )}
      {!single && may(bucket, "read", folder) && <ZipButton busy={zipping} onClick={onZip} />}
      {rows.length === 1 && may(bucket, "share", folder) && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconLink size={15} aria-hidden />}
          onClick={onShare}
        >
          Share
        </Button>
      )}
      {mayDelete && may(bucket, "write", folder) && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconFolderSymlink size={15} aria-hidden />}
          onClick={onMove}
        >
          Move
        </Button>
      )}
      {mayDelete && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconTrash size={15} aria-hidden />}
          onClick={onDelete}
        >
          Delete
        </Button>
      )}
    </section>
  );
}
