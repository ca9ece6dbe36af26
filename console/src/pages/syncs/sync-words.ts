// What a sync says, in words; and how far a delivery is, and what comes next.
import type {
  Delivery,
  DeliveryState,
  DryRun,
  PlannedFile,
  SourceRule,
  StoreRule,
  SyncRule,
  SyncShown,
  TargetRule,
  When,
} from "../../api/types";
import { bytes, count } from "../../format/numbers";
import { until } from "../../format/times";

export function sourceWords(source: SourceRule): string {
  switch (source.kind) {
    case "rows":
      return `rows of a table, their files in ${storeWords(source.store)}`;
    case "store":
      return storeWords(source.store);
    case "bucket":
      return source.prefix
        ? `${source.prefix} of the bucket ${source.bucket}`
        : `the bucket ${source.bucket}`;
  }
}

export function targetWords(to: TargetRule): string {
  switch (to.kind) {
    case "cloudflare_images":
      return "Cloudflare Images";
    case "cloudflare_stream":
      return "Cloudflare Stream";
    case "store":
      return storeWords(to.store);
    case "bucket":
      return `the bucket ${to.bucket}`;
    case "webhook":
      return URL.canParse(to.url) ? new URL(to.url).host : to.url;
  }
}

function storeWords({ bucket, prefix, endpoint }: StoreRule): string {
  const host = URL.canParse(endpoint) ? new URL(endpoint).host : endpoint;
  return `${prefix ? `${bucket}/${prefix}` : bucket} at ${host}`;
}

/** Which files a target takes: "image/*, at most 10.0 MiB". */
export function whenWords(when: When | undefined): string {
  const { types = [], min_size, max_size, prefix, metadata = {} } = when ?? {};
  const words = [];
  if (types.length > 0) words.push(types.join(", "));
  if (min_size) words.push(`at least ${bytes(min_size)}`);
  if (max_size) words.push(`at most ${bytes(max_size)}`);
  if (prefix) words.push(`below ${prefix}`);
  for (const [name, value] of Object.entries(metadata)) words.push(`${name} is ${String(value)}`);
  return words.length === 0 ? "everything else" : words.join(", ");
}

/** "the bucket films → Cloudflare Stream, 2 more". */
export function wayWords({ source, targets }: SyncRule): string {
  const [first, ...others] = targets;
  const to = first ? targetWords(first.to) : "nowhere";
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return `${sourceWords(source)} → ${to}${more}`;
}

interface Look {
  word: string;
  color: string;
  /** What is done with it, or was. */
  about: string;
}

export const STATE_LOOKS: Record<DeliveryState, Look> = {
  pending: { word: "Pending", color: "gray", about: "found, and nothing was sent" },
  intended: { word: "Begun", color: "indigo", about: "about to be made at the target" },
  created: { word: "Uploading", color: "indigo", about: "there without its whole content" },
  uploaded: { word: "Uploaded", color: "indigo", about: "there with its whole content" },
  working: { word: "Not ready", color: "indigo", about: "the target works on it" },
  again: { word: "Again", color: "gray", about: "its source asks for it once more" },
  verified: { word: "Verified", color: "indigo", about: "served; its source does not know yet" },
  marked: { word: "Delivered", color: "green", about: "served, and its source knows" },
  skipped: { word: "Skipped", color: "gray", about: "no target takes it" },
  failed: { word: "Failed", color: "red", about: "tried as often as it may be, or refused" },
  removed: { word: "Removed", color: "gray", about: "removed at its target" },
};

/** What comes next: "tried again in 3 min". */
export function nextStep(delivery: Delivery, now: number): string | null {
  const { state, claimed, next_at, failures } = delivery;
  if (claimed) return "somebody works on it now";
  if (state === "failed") return "waits for somebody to retry it";
  if (!next_at) return null;
  const due = Date.parse(next_at) <= now;
  if (due) return "taken up by the next pass";
  const what = state === "working" ? "looked at" : failures > 0 ? "tried again" : "tried";
  return `${what} ${until(next_at, now)}`;
}

const ENDED: ReadonlySet<string> = new Set(["marked", "skipped", "failed", "removed"]);

/** How many files of a dry run go where: "2 to pictures, 1 to films." */
export function planWords({ files, deliver, skip }: DryRun): string | null {
  const targets = new Map<string, number>();
  let [bySize, byType] = [0, 0];
  for (const { target, skipped, type } of files) {
    if (target) targets.set(target, (targets.get(target) ?? 0) + 1);
    else if (!skipped && type) bySize += 1;
    else if (!skipped) byType += 1;
  }
  const words = [...targets].map(([target, number]) => `${count(number)} to ${target}`);
  if (bySize > 0) words.push(`${count(bySize)} where their size belongs`);
  if (byType > 0) words.push(`${count(byType)} once their type is looked at`);
  if (words.length === 0) return null;
  const some = files.length < deliver + skip ? `Of the first ${count(files.length)}: ` : "";
  return `${some}${words.join(", ")}.`;
}

/** Where one of them goes: "to pictures", or why it goes nowhere. */
export function placeWords({ target, skipped, type }: PlannedFile): string {
  if (skipped) return skipped;
  if (target) return `to ${target}`;
  return type ? "where its size belongs" : "looked at first, since its name does not tell its type";
}

/** How many files are on their way, or wait. */
export function toGo(counts: Partial<Record<DeliveryState, number>>): number {
  let sum = 0;
  for (const [state, number] of Object.entries(counts)) if (!ENDED.has(state)) sum += number ?? 0;
  return sum;
}

/**
 * Of a sync that variables of the server's environment said: whether they do no more. Then
 * it is there for what it delivered, and can be deleted.
 */
export function isLeft({ origin, actions }: SyncShown): boolean {
  return origin === "environment" && actions.includes("delete");
}

export function scheduleWords({ schedule, zone, source }: SyncRule): string {
  if (schedule) return `${schedule} (${zone || "UTC"})`;
  return source.kind === "bucket" ? "when a file comes" : "when it is asked to";
}

/** Who is told of passes: "https://a.example/hook, anna@a.example". */
export function reportWords({ report }: SyncRule): string {
  const told = [report?.url, ...(report?.email ?? [])].filter((one) => one);
  return told.join(", ") || "nobody";
}
