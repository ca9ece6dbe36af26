// One folder or file as a tile: a picture shows itself, all else the icon of its kind.
import { memo, useState } from "react";
import { fileAddress } from "../../api/files";
import { bytes } from "../../format/numbers";
import { addressOf, clicked, followed, iconOf, nameIn, type RowActs, rowId } from "./entry";
import list from "./FileTable.module.css";
import classes from "./FileTiles.module.css";
import { kindOf } from "./kinds";
import { fitsTile } from "./layout";
import type { Row } from "./rows";
import { SharedMark } from "./SharedMark";

interface FileTileProps {
  row: Row;
  bucket: string;
  within: string;
  /** Its place among all, the first being 1. */
  position: number;
  column: number;
  chosen: boolean;
  standing: boolean;
  shared: boolean;
  /** Whether pictures may be got. */
  pictures: boolean;
  acts: RowActs;
}

export const FileTile = memo(function FileTile(props: FileTileProps) {
  const { row, bucket, within, position, column, chosen, standing, shared, pictures, acts } = props;
  const folder = row.kind === "folder";
  const name = nameIn(row, within);
  return (
    // The keys of the tiles are listened to by the page.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <div
      role="gridcell"
      id={rowId(position)}
      aria-colindex={column}
      aria-selected={chosen}
      data-standing={standing || undefined}
      data-folder={folder ? row.path : undefined}
      className={classes.tile}
      onClick={(event) => clicked(event, row, acts)}
    >
      <a
        className={classes.link}
        href={addressOf(row, bucket, within)}
        tabIndex={-1}
        title={name}
        // Or else it could be dropped on this very page as a file.
        draggable={false}
        onClick={(event) => followed(event, row, acts)}
      >
        <span className={classes.look}>
          <Look row={row} bucket={bucket} pictures={pictures} />
        </span>
        <span className={classes.name}>
          {name}
          {folder && <span className={list.hidden}>, folder</span>}
        </span>
      </a>
      <span className={classes.facts}>
        {folder ? "folder" : bytes(row.file.size)}
        {shared && <SharedMark />}
      </span>
      <input
        type="checkbox"
        className={list.box}
        tabIndex={-1}
        aria-label={`Choose ${name}`}
        checked={chosen}
        onChange={() => {}}
        onClick={(event) => acts.choose(row.key, event.shiftKey)}
      />
    </div>
  );
});

function Look({ row, bucket, pictures }: Pick<FileTileProps, "row" | "bucket" | "pictures">) {
  const [failed, setFailed] = useState<string | null>(null);
  const Icon = iconOf(row);
  const picture =
    pictures &&
    row.kind === "file" &&
    fitsTile(row.file.size) &&
    kindOf(row.file.type, row.file.sniffed_type) === "image";
  // Another content at the same path is another picture.
  if (picture && failed !== row.file.id) {
    return (
      <img
        key={row.file.id}
        className={classes.picture}
        src={fileAddress(bucket, row.path)}
        // Its name stands below.
        alt=""
        loading="lazy"
        decoding="async"
        draggable={false}
        onError={() => setFailed(row.file.id)}
      />
    );
  }
  const folder = row.kind === "folder" ? classes.folder : undefined;
  return <Icon size={44} stroke={1.2} aria-hidden className={folder} />;
}
