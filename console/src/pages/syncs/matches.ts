// Which of the files that lie in a bucket now a rule means: asked of the list of the bucket
// as one types, by the same conditions as the server's.
import type { StoredFile, When } from "../../api/types";
import { count, counted } from "../../format/numbers";

/** What is known of a file when it is chosen where it goes. */
export type FileSeen = Pick<StoredFile, "path" | "type" | "size" | "metadata"> &
  Partial<Pick<StoredFile, "taken_at" | "latitude" | "longitude">>;

/** The files that were looked at; `more`: there are others. */
export interface FilesSeen {
  files: readonly FileSeen[];
  more: boolean;
}

export interface Matches {
  /** How many were looked at, and whether there are more. */
  of: number;
  more: boolean;
  /** How many go to no target. */
  untaken: number;
  targets: { /** It would take. */ fits: number /** It gets. */; gets: number }[];
}

/** How many go where: each to the first target that takes it. */
export function matchesOf({ files, more }: FilesSeen, whens: readonly When[]): Matches {
  const targets = whens.map(() => ({ fits: 0, gets: 0 }));
  let untaken = 0;
  for (const file of files) {
    let taken = false;
    whens.forEach((when, index) => {
      const target = targets[index];
      if (!target || !means(when, file)) return;
      target.fits += 1;
      if (!taken) target.gets += 1;
      taken = true;
    });
    if (!taken) untaken += 1;
  }
  return { of: files.length, more, untaken, targets };
}

/** Whether all conditions hold of a file. */
export function means(when: When, file: FileSeen): boolean {
  const { types = [], min_size = null, max_size = null, prefix = "", metadata = {} } = when;
  return (
    (types.length === 0 || types.some((wanted) => isOfType(wanted, file.type))) &&
    (min_size === null || file.size >= min_size) &&
    (max_size === null || file.size <= max_size) &&
    file.path.startsWith(prefix) &&
    Object.entries(metadata).every(([name, wanted]) => isSame(said(file, name), wanted))
  );
}

// Parameters (`; charset=…`) and case don't count.
function isOfType(wanted: string, type: string): boolean {
  const [plain = ""] = type.split(";");
  const found = plain.trim().toLowerCase();
  const asked = wanted.toLowerCase();
  if (asked === "*" || asked === "*/*" || asked === found) return true;
  return asked.endsWith("/*") && found.includes("/") && found.split("/")[0] === asked.slice(0, -2);
}

/** What syncs are told of a file: what a picture says itself, too. */
function said(file: FileSeen, name: string): unknown {
  const metadata = file.metadata as Record<string, unknown>;
  if (name in metadata) return metadata[name];
  if (name === "dateTaken") return file.taken_at ?? undefined;
  if (name === "gpsLatitude") return file.latitude ?? undefined;
  if (name === "gpsLongitude") return file.longitude ?? undefined;
  return undefined;
}

function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [of, and] = [one, other] as Record<string, unknown>[];
  const names = Object.keys(of ?? {});
  return (
    names.length === Object.keys(and ?? {}).length &&
    names.every((name) => name in (and ?? {}) && isSame(of?.[name], and?.[name]))
  );
}

/** "3 files are there now; 1 of them goes to no target." */
export function sourceMatchWords({ of, more, untaken }: Matches): string {
  if (of === 0) return "No file is there yet.";
  const goes = untaken === 1 ? "goes" : "go";
  const rest = untaken === 0 ? "" : `; ${count(untaken)} of them ${goes} to no target`;
  if (more) {
    return `More than ${counted(of, "file")} are there; the first ${count(of)} are counted here${rest}.`;
  }
  return `${counted(of, "file")} ${of === 1 ? "is" : "are"} there now${rest}.`;
}

/** "Gets 2 of 3 files; 1 more fits, and goes to an earlier target." */
export function targetMatchWords({ of, more, targets }: Matches, index: number): string | null {
  const target = targets[index];
  if (of === 0 || !target) return null;
  const all = more ? `the first ${counted(of, "file")}` : counted(of, "file");
  const earlier = target.fits - target.gets;
  const also =
    earlier === 0
      ? ""
      : `; ${count(earlier)} more ${earlier === 1 ? "fits, and goes" : "fit, and go"} to an earlier target`;
  return `Gets ${count(target.gets)} of ${all}${also}.`;
}
