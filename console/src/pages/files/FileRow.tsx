// One folder or file in the list. Its name is a real link, though none of the router: a
// hundred of those a second, each with its own place in the router, would be felt.
import { memo } from "react";
import { Ago } from "../../components/Times";
import { bytes } from "../../format/numbers";
import { addressOf, clicked, followed, iconOf, nameIn, type RowActs, rowId } from "./entry";
import classes from "./FileTable.module.css";
import type { Row } from "./rows";
import { SharedMark } from "./SharedMark";

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

export const FileRow = memo(function FileRow(props: FileRowProps) {
  const { row, bucket, within, position, top, chosen, standing, shared, acts } = props;
  const folder = row.kind === "folder";
  const name = nameIn(row, within);
  const Icon = iconOf(row);
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
      onClick={(event) => clicked(event, row, acts)}
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
          href={addressOf(row, bucket, within)}
          tabIndex={-1}
          title={name}
          onClick={(event) => followed(event, row, acts)}
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
