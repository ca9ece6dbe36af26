// From what was dropped or chosen to the queue of uploads.
import { useState } from "react";
import {
  type Dropped,
  type Found,
  readChosen,
  readDrop,
  type Unreadable,
} from "../../transfers/read-drop";
import { transfers } from "../../transfers/transfers";

// So many are named; more of them say nothing new.
const NAMED = 5;

export function useUpload(bucket: string) {
  const [unreadable, setUnreadable] = useState<readonly Unreadable[]>([]);
  const queue = (folder: string, found: readonly Found[]) =>
    transfers.add(found.map(({ path, file }) => ({ bucket, path: `${folder}${path}`, file })));
  const drop = async (folder: string, dropped: Dropped) => {
    const problems: Unreadable[] = [];
    for await (const found of readDrop(dropped, (problem) => problems.push(problem))) {
      queue(folder, found);
    }
    setUnreadable(problems);
  };
  return {
    add: (folder: string, files: Iterable<File>) => queue(folder, readChosen(files)),
    drop,
    problem: unreadable.length === 0 ? null : new Error(inWords(unreadable)),
    dismiss: () => setUnreadable([]),
  };
}

export type Uploading = ReturnType<typeof useUpload>;

function inWords(unreadable: readonly Unreadable[]): string {
  const words = unreadable.slice(0, NAMED).map(({ path, reason }) => `${path}: ${reason}`);
  const more = unreadable.length - words.length;
  if (more > 0) words.push(`and ${more} more`);
  return words.join("; ");
}
