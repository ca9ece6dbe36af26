// A folder's pages as rows, and the changes that are put into them in place: what was
// uploaded, moved or deleted here is known without reading the folder again.
import type { InfiniteData } from "@tanstack/react-query";
import type { Listing } from "../../api/files";
import type { FolderPage, StoredFile } from "../../api/types";

export type Row =
  | { kind: "folder"; key: string; path: string }
  | { kind: "file"; key: string; path: string; file: StoredFile };

export type FolderPages = InfiniteData<FolderPage, unknown>;

export const fileKey = (path: string) => `f:${path}`;
export const folderKey = (path: string) => `d:${path}`;

// A page never changes, so that its rows are made once.
const made = new WeakMap<FolderPage, readonly Row[]>();

export function rowsOf(data: FolderPages | undefined): readonly Row[] {
  const pages = data?.pages ?? [];
  const only = pages[0];
  if (pages.length === 1 && only) return rowsOfPage(only);
  return pages.flatMap(rowsOfPage);
}

function rowsOfPage(page: FolderPage): readonly Row[] {
  const known = made.get(page);
  if (known) return known;
  const rows: Row[] = [
    ...page.folders.map((path) => ({ kind: "folder" as const, key: folderKey(path), path })),
    ...page.items.map((file) => ({
      kind: "file" as const,
      key: fileKey(file.path),
      path: file.path,
      file,
    })),
  ];
  made.set(page, rows);
  return rows;
}

/** The pages without some files and folders. */
export function withoutKeys(data: FolderPages, gone: ReadonlySet<string>): FolderPages {
  let touched = false;
  const pages = data.pages.map((page) => {
    const folders = page.folders.filter((path) => !gone.has(folderKey(path)));
    const items = page.items.filter(({ path }) => !gone.has(fileKey(path)));
    const same = folders.length === page.folders.length && items.length === page.items.length;
    touched ||= !same;
    return same ? page : { ...page, folders, items };
  });
  return touched ? { ...data, pages } : data;
}

/** The pages with files that are there now, each at its place; beyond what was read, none. */
export function withFiles(
  data: FolderPages,
  listing: Listing,
  files: readonly StoredFile[],
): FolderPages {
  return files.reduce((pages, file) => withFile(pages, listing, file), data);
}

function withFile(data: FolderPages, listing: Listing, file: StoredFile): FolderPages {
  if (listing.words) return replaced(data, file);
  if (!file.path.startsWith(listing.folder) || file.path === listing.folder) return data;
  const slash = file.path.indexOf("/", listing.folder.length);
  if (slash !== -1) return withFolder(data, listing, file.path.slice(0, slash + 1));
  const rest = withoutKeys(data, new Set([fileKey(file.path)]));
  return inserted(rest, "items", file, (other) => compare(listing, file, other));
}

function withFolder(data: FolderPages, { sort, order }: Listing, folder: string): FolderPages {
  if (data.pages.some(({ folders }) => folders.includes(folder))) return data;
  const turned = sort === "name" && order === "desc" ? -1 : 1;
  return inserted(data, "folders", folder, (other) => turned * byBytes(folder, other));
}

function replaced(data: FolderPages, file: StoredFile): FolderPages {
  const pages = data.pages.map((page) =>
    page.items.some(({ path }) => path === file.path)
      ? { ...page, items: page.items.map((item) => (item.path === file.path ? file : item)) }
      : page,
  );
  return { ...data, pages };
}

// Before the first that comes after it; at the end only where the end was read.
function inserted<K extends "items" | "folders">(
  data: FolderPages,
  where: K,
  what: FolderPage[K][number],
  order: (other: FolderPage[K][number]) => number,
): FolderPages {
  const put = (page: number, at: number): FolderPages => ({
    ...data,
    pages: data.pages.map((known, index) => {
      if (index !== page) return known;
      const list: FolderPage[K][number][] = [...known[where]];
      list.splice(at, 0, what);
      return { ...known, [where]: list };
    }),
  });
  for (const [index, page] of data.pages.entries()) {
    const list: readonly FolderPage[K][number][] = page[where];
    const last = list.at(-1);
    if (last === undefined || order(last) > 0) continue;
    return put(
      index,
      list.findIndex((other) => order(other) <= 0),
    );
  }
  const end = data.pages.length - 1;
  const last = data.pages[end];
  if (!last) return data;
  if (where === "items") return last.next === null ? put(end, last.items.length) : data;
  // Once files have begun, all folders were read.
  const final = data.pages.findLastIndex(({ folders }) => folders.length > 0);
  const whole = last.next === null || data.pages.some(({ items }) => items.length > 0);
  if (!whole) return data;
  const page = Math.max(0, final);
  return put(page, data.pages[page]?.folders.length ?? 0);
}

function compare({ sort, order }: Listing, one: StoredFile, other: StoredFile): number {
  const turned = order === "desc" ? -1 : 1;
  const first =
    sort === "size"
      ? one.size - other.size
      : sort === "date"
        ? byBytes(one.modified_at, other.modified_at)
        : 0;
  return turned * (first || byBytes(one.path, other.path));
}

/** The order of the server: by the bytes of UTF-8. */
export function byBytes(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at += 1) {
    const [a, b] = [one.charCodeAt(at), other.charCodeAt(at)];
    if (a !== b) return unitOrder(a) - unitOrder(b);
  }
  return one.length - other.length;
}

// Halves of pairs stand for characters beyond all that one unit holds.
function unitOrder(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
