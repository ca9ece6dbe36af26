// What a folder or file is called where it is shown, where it leads, and what clicks on it
// mean: the same in a list and on tiles.
import { IconFolder, type TablerIcon } from "@tabler/icons-react";
import type { MouseEvent } from "react";
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

export const rowId = (position: number) => `file-row-${position}`;

/** Its name without `within`, the folder that is shown. */
export function nameIn(row: Row, within: string): string {
  const shown = row.kind === "folder" ? nameOf(row.path) : row.path.slice(within.length);
  return shown === "" ? "(no name)" : shown;
}

export function addressOf(row: Row, bucket: string, within: string): string {
  return row.kind === "folder"
    ? folderAddress(bucket, row.path)
    : openAddress(bucket, within, row.path);
}

export function iconOf(row: Row): TablerIcon {
  return row.kind === "folder"
    ? IconFolder
    : KIND_ICONS[kindOf(row.file.type, row.file.sniffed_type)];
}

/** A click beside its link. */
export function clicked(event: MouseEvent<HTMLElement>, row: Row, acts: RowActs): void {
  if (event.target instanceof HTMLElement && event.target.closest("a, input, label")) return;
  if (event.shiftKey) acts.choose(row.key, true);
  else if (event.ctrlKey || event.metaKey) acts.choose(row.key, false);
  else acts.stand(row.key);
}

/** A click on its link: what a browser does by itself with a link, it still does. */
export function followed(event: MouseEvent, row: Row, acts: RowActs): void {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  if (!plain) return;
  event.preventDefault();
  if (row.kind === "folder") acts.enter(row.path);
  else {
    acts.stand(row.key);
    acts.open(row.path);
  }
}
