// What the server tells of files, as changes of what a folder shows.
import type { FileEvent } from "../../api/live";
import type { StoredFile } from "../../api/types";
import { fileKey } from "./rows";

export interface Changes {
  /** Files that are there now. */
  put: StoredFile[];
  /** The keys of those that are not. */
  gone: Set<string>;
  /** Whether something left a folder within, which may be empty now. */
  deeper: boolean;
}

/** What is left of several events, the newest of each path. */
export function changesOf(folder: string, events: readonly FileEvent[]): Changes {
  const now = new Map<string, StoredFile | null>();
  for (const { type, path, from, file } of events) {
    if (from !== undefined) now.set(from, null);
    // A file that is told with its end is the one that was there.
    now.set(path, type === "file.deleted" ? null : (file ?? null));
  }
  const put: StoredFile[] = [];
  const gone = new Set<string>();
  let deeper = false;
  for (const [path, file] of now) {
    if (file) {
      put.push(file);
      continue;
    }
    gone.add(fileKey(path));
    deeper ||= path.startsWith(folder) && path.indexOf("/", folder.length) !== -1;
  }
  return { put, gone, deeper };
}
