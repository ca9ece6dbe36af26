// Reads what was dropped: files, and folders with all that is in them. The entries must
// be asked for at once, in the event; a browser forgets them afterwards.

export interface Found {
  /** Its path below where it was dropped. */
  path: string;
  file: File;
}

export interface Unreadable {
  path: string;
  reason: string;
}

export interface Dropped {
  entries: FileSystemEntry[];
  /** What browsers without entries give. */
  files: File[];
}

/** To be called within the event. */
export function takeDrop(data: DataTransfer): Dropped {
  const entries: FileSystemEntry[] = [];
  for (const item of data.items) {
    const entry = item.kind === "file" ? item.webkitGetAsEntry?.() : null;
    if (entry) entries.push(entry);
  }
  return { entries, files: entries.length === 0 ? [...data.files] : [] };
}

// So many are handed on at once, so that a large tree begins before it is read through.
const BATCH = 200;

/** What was dropped, in batches. What cannot be read is told and passed over. */
export async function* readDrop(
  { entries, files }: Dropped,
  unreadable: (problem: Unreadable) => void,
): AsyncGenerator<Found[]> {
  let batch: Found[] = files.map((file) => ({ path: file.name, file }));
  for await (const found of walk(entries, "", unreadable)) {
    batch.push(found);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** The same for what a field for files or a folder gives. */
export function readChosen(files: Iterable<File>): Found[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

async function* walk(
  entries: readonly FileSystemEntry[],
  above: string,
  unreadable: (problem: Unreadable) => void,
): AsyncGenerator<Found> {
  for (const entry of entries) {
    const path = `${above}${entry.name}`;
    try {
      if (isFile(entry)) yield { path, file: await fileOf(entry) };
      else if (isFolder(entry)) yield* walk(await childrenOf(entry), `${path}/`, unreadable);
    } catch (error) {
      unreadable({ path, reason: error instanceof Error ? error.message : String(error) });
    }
  }
}

// A reader gives a hundred at a time, and nothing once it has given all.
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const children: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return children;
    children.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
