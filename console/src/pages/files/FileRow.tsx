// One folder or file in the list. Its name is a real link, though none of the router: a
// hundred of those a second, each with its own place in the router, would be felt.
import { IconFolder, IconLink } from "@tabler/icons-react";
import { type MouseEvent, memo } from "react";
import { Ago } from "../../components/Times";
import { bytes } from "../../format/numbers";
import classes from "./FileTable.module.css";
import { KIND_ICONS, kindOf } from "./kinds";
import { folderAddress, nameOf, openAddress } from "./place";
import type { Row } from "./rows";

export interface RowActs {
  /** Turns one on or off; with Shift, all from the last one. */
  choose: (key: string, range: boolean) => void;
  stand: (key: string) => void;
  open: (path: string) => void;
  enter: (folder: string) => void;
}

interface FileRowProps {
  row: Row;
  bucket: string;
  /** What its name is shown without: the folder that it lies in. */
  within: string;
  /** Its row in the whole table, the head being 1. */
  position: number;
  top: number;
  chosen: boolean;
  standing: boolean;
  /** Whether a link opens it to others. */
  shared: boolean;
  acts: RowActs;
}

export function SharedMark() {
  return (
    <span className={classes.shared} title="Shared by a link">
      <IconLink size={15} stroke={1.8} aria-hidden />
      <span className={classes.hidden}>shared</span>
    </span>
  );
}

export const rowId = (position: number) => `file-row-${position}`;

export const FileRow = memo(function FileRow(props: FileRowProps) {
  const { row, bucket, within, position, top, chosen, standing, shared, acts } = props;
  const folder = row.kind === "folder";
  const shown = folder ? nameOf(row.path) : row.path.slice(within.length);
  const name = shown === "" ? "(no name)" : shown;
  const Icon = folder ? IconFolder : KIND_ICONS[kindOf(row.file.type, row.file.sniffed_type)];
  const click = (event: MouseEvent<HTMLElement>) => {
    if (event.target instanceof HTMLElement && event.target.closest("a, input, label")) return;
    if (event.shiftKey) acts.choose(row.key, true);
    else if (event.ctrlKey || event.metaKey) acts.choose(row.key, false);
    else acts.stand(row.key);
  };
  const follow = (event: MouseEvent) => {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!plain) return;
    event.preventDefault();
    if (folder) acts.enter(row.path);
    else {
      acts.stand(row.key);
      acts.open(row.path);
    }
  };
  return (
    // The keys of the list are listened to by the list.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <div
      role="row"
      id={rowId(position)}
      aria-rowindex={position}
      aria-selected={chosen}
      data-standing={standing || undefined}
      data-folder={folder ? row.path : undefined}
      className={`${classes.row} ${classes.entry}`}
      style={{ transform: `translateY(${top}px)` }}
      onClick={click}
    >
      <span role="gridcell" className={classes.check}>
        <input
          type="checkbox"
          className={classes.box}
          tabIndex={-1}
          aria-label={`Choose ${name}`}
          checked={chosen}
          onChange={() => {}}
          onClick={(event) => acts.choose(row.key, event.shiftKey)}
        />
      </span>
      <span role="gridcell" className={classes.name}>
        <Icon size={18} stroke={1.6} aria-hidden className={folder ? classes.folder : undefined} />
        <a
          className={classes.link}
          href={folder ? folderAddress(bucket, row.path) : openAddress(bucket, within, row.path)}
          tabIndex={-1}
          title={name}
          onClick={follow}
        >
          {name}
          {folder && <span className={classes.hidden}>, folder</span>}
        </a>
        {shared && <SharedMark />}
      </span>
      <span role="gridcell" className={classes.size}>
        {folder ? "" : bytes(row.file.size)}
      </span>
      <span role="gridcell" className={classes.type}>
        {folder ? "folder" : row.file.type}
      </span>
      <span role="gridcell" className={classes.date}>
        {folder ? "" : <Ago time={row.file.modified_at} />}
      </span>
    </div>
  );
});
