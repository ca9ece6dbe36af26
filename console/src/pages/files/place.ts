// Paths, and their place in the console's addresses.
import type { Heap } from "../../api/files";
import type { Layout } from "./layout";

/** What of a path comes before its name, with the `/`. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** The last part of a file's path, or of a folder's without its `/`. */
export function nameOf(path: string): string {
  const whole = path.endsWith("/") ? path.slice(0, -1) : path;
  return whole.slice(whole.lastIndexOf("/") + 1);
}

export interface Crumb {
  name: string;
  folder: string;
}

/** The folders on the way to `folder`, itself the last; the bucket's top is not among them. */
export function crumbs(folder: string): Crumb[] {
  const names = folder.split("/").slice(0, -1);
  return names.map((name, index) => ({
    name: name === "" ? "(no name)" : name,
    folder: `${names.slice(0, index + 1).join("/")}/`,
  }));
}

/** What a person typed as a folder: nothing, or with one `/` at its end and none before. */
export function asFolder(text: string): string {
  const inner = text.trim().replace(/^\/+|\/+$/g, "");
  return inner === "" ? "" : `${inner}/`;
}

/** What is wrong with a typed path, in words. */
export function pathProblem(path: string): string | null {
  if (path.trim() === "") return "Give a path";
  if (new TextEncoder().encode(path).length > 1024) return "A path has at most 1024 bytes";
  if (path.split("/").some((part) => part === "." || part === "..")) {
    return "The parts “.” and “..” are no names";
  }
  return null;
}

// An address has no empty parts, yet a path may: `a//b`. They are written `~`, and what
// is all `~` gets one more.
const ESCAPED = /^~*$/;

/** A folder as the rest of a page's address. */
export function toAddress(folder: string): string {
  return folder
    .split("/")
    .slice(0, -1)
    .map((part) => (ESCAPED.test(part) ? `~${part}` : part))
    .join("/");
}

/** The folder that an address names. */
export function fromAddress(rest: string | undefined): string {
  const parts = (rest ?? "").split("/").filter((part) => part !== "");
  return parts.map((part) => `${ESCAPED.test(part) ? part.slice(1) : part}/`).join("");
}

/** The address of a folder's page. */
export function folderAddress(bucket: string, folder: string): string {
  const parts = toAddress(folder).split("/").map(encodeURIComponent);
  return `/files/${encodeURIComponent(bucket)}/${parts.join("/")}`;
}

/** The same, with a file that is looked at. */
export function openAddress(bucket: string, folder: string, path: string): string {
  // In quotes, so that a name of digits is not read as a number.
  return `${folderAddress(bucket, folder)}?open=${encodeURIComponent(JSON.stringify(path))}`;
}

export interface Shown {
  sort?: "size" | "date" | undefined;
  order?: "desc" | undefined;
  q?: string | undefined;
  /** The path of the file that is looked at. */
  open?: string | undefined;
  /** What is shown instead of the folder. */
  view?: Heap | undefined;
  /** How the folder is shown; as it was last, where this is not said. */
  as?: Layout | undefined;
}

/** Reads the address's search part; whatever it holds, the result is usable. */
export function readShown(search: Record<string, unknown>): Shown {
  const shown: Shown = {};
  if (search.sort === "size" || search.sort === "date") shown.sort = search.sort;
  if (search.order === "desc") shown.order = "desc";
  const words = asText(search.q)?.trim();
  if (words) shown.q = words;
  const open = asText(search.open);
  if (open) shown.open = open;
  if (search.view === "trash" || search.view === "versions") shown.view = search.view;
  if (search.as === "list" || search.as === "tiles") shown.as = search.as;
  return shown;
}

// The router reads `?q=2024` as a number.
function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
