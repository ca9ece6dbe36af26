// What is known of every source of a bundle, folded from its log lines. Holds
// 100,000 rows in flat arrays; a row is only made when it is looked at.
import type { LiveLine } from "../../api/live";

export type SourceState = "queued" | "fetching" | "done" | "failed";
export type Shown = "all" | SourceState;

export interface SourceRow {
  index: number;
  /** Null while the source has not been reported and its address is not known. */
  url: string | null;
  path: string | null;
  state: SourceState;
  bytes: number;
  /** The HTTP status that the origin answered with. */
  status: number | null;
  reason: { code: string; message: string } | null;
  /** While its bytes come: how many, of how many. */
  transfer: { done: number; total: number | null } | null;
}

export interface SourceCounts extends Record<SourceState, number> {
  total: number;
  bytes: number;
}

/** A source whose bytes come right now, as the operation's progress tells it. */
interface Moving {
  index?: number | null;
  name: string;
  done: number;
  total?: number | null;
}

interface Report {
  source: number;
  url?: string;
  path?: string;
  state: string;
  bytes?: number;
  status?: number;
  reason?: { code: string; message: string };
}

const QUEUED = 0;
const FETCHING = 1;
const ORDER: readonly SourceState[] = ["queued", "fetching", "done", "failed"];
const BY_WORD: Record<string, number> = { fetching: 1, done: 2, failed: 3, refused: 3 };
// A log that speaks of more sources than a bundle can have is not believed.
const MOST = 100_000;

export class SourceRows {
  #states: Uint8Array;
  #bytes: Float64Array;
  #urls: Array<string | undefined>;
  #paths = new Map<number, string>();
  #statuses = new Map<number, number>();
  #reasons = new Map<number, { code: string; message: string }>();
  #counts = [0, 0, 0, 0];
  #moving = new Map<number, Moving>();
  #told: readonly Moving[] | null = [];
  #sum = 0;
  #size: number;

  constructor(size: number) {
    this.#size = Math.min(size, MOST);
    this.#states = new Uint8Array(this.#size);
    this.#bytes = new Float64Array(this.#size);
    this.#urls = [];
    this.#counts[0] = this.#size;
  }

  /** Takes a batch of log lines; true when any of them was about a source. */
  fold(lines: readonly LiveLine[]): boolean {
    let changed = false;
    let anew = false;
    for (const line of lines) {
      if (isReport(line.data)) {
        this.#apply(line.data);
      } else if (isStart(line.data)) {
        this.#startOver();
        anew = true;
      } else {
        continue;
      }
      changed = true;
    }
    // The log may be read again from its start after what moves now was told.
    if (anew) this.moving(this.#told);
    return changed;
  }

  // An attempt fetches everything; what an earlier one had is not kept.
  #startOver(): void {
    this.#states.fill(0);
    this.#bytes.fill(0);
    this.#counts = [this.#size, 0, 0, 0];
    this.#sum = 0;
    this.#moving.clear();
    for (const known of [this.#paths, this.#statuses, this.#reasons]) known.clear();
  }

  /** Takes what moves right now; null once nothing does any more, nor will. */
  moving(transfers: readonly Moving[] | null): void {
    this.#told = transfers;
    const now = new Map<number, Moving>();
    for (const transfer of transfers ?? []) {
      const { index } = transfer;
      if (index === null || index === undefined || index >= this.#size) continue;
      if ((this.#states[index] ?? 0) > FETCHING) continue;
      now.set(index, transfer);
    }
    // What moves no longer has come and waits to be packed: only its end stands in the log.
    if (transfers === null) this.#queueAgain();
    for (const [index, transfer] of now) {
      this.#become(index, FETCHING);
      this.#urls[index] ??= transfer.name;
    }
    this.#moving = now;
  }

  #queueAgain(): void {
    for (let i = 0; i < this.#size; i += 1) {
      if (this.#states[i] === FETCHING) this.#become(i, QUEUED);
    }
  }

  row(index: number): SourceRow {
    const transfer = this.#moving.get(index);
    return {
      index,
      url: this.#urls[index] ?? null,
      path: this.#paths.get(index) ?? null,
      state: ORDER[this.#states[index] ?? 0] ?? "queued",
      bytes: this.#bytes[index] ?? 0,
      status: this.#statuses.get(index) ?? null,
      reason: this.#reasons.get(index) ?? null,
      transfer: transfer ? { done: transfer.done, total: transfer.total ?? null } : null,
    };
  }

  counts(): SourceCounts {
    const [queued = 0, fetching = 0, done = 0, failed = 0] = this.#counts;
    return { queued, fetching, done, failed, total: this.#size, bytes: this.#sum };
  }

  /** The sources in a state, in their order; null for all of them. */
  indexes(shown: Shown): number[] | null {
    if (shown === "all") return null;
    const wanted = ORDER.indexOf(shown);
    const found: number[] = [];
    for (let i = 0; i < this.#size; i += 1) if (this.#states[i] === wanted) found.push(i);
    return found;
  }

  #apply(report: Report): void {
    const { source } = report;
    if (source >= this.#size) this.#grow(source + 1);
    const before = this.#states[source] ?? 0;
    const after = BY_WORD[report.state] ?? before;
    this.#become(source, after);
    this.#moving.delete(source);
    if (report.bytes !== undefined) {
      this.#sum += report.bytes - (this.#bytes[source] ?? 0);
      this.#bytes[source] = report.bytes;
    }
    if (report.url) this.#urls[source] = report.url;
    if (report.path) this.#paths.set(source, report.path);
    if (report.status) this.#statuses.set(source, report.status);
    if (report.reason) this.#reasons.set(source, report.reason);
    else if (after !== 3) this.#reasons.delete(source);
  }

  #become(index: number, after: number): void {
    const before = this.#states[index] ?? 0;
    this.#states[index] = after;
    this.#counts[before] = (this.#counts[before] ?? 0) - 1;
    this.#counts[after] = (this.#counts[after] ?? 0) + 1;
  }

  #grow(size: number): void {
    const states = new Uint8Array(size);
    states.set(this.#states);
    const bytes = new Float64Array(size);
    bytes.set(this.#bytes);
    this.#counts[0] = (this.#counts[0] ?? 0) + size - this.#size;
    this.#states = states;
    this.#bytes = bytes;
    this.#size = size;
  }
}

// The line that each attempt begins with.
function isStart(data: unknown): boolean {
  return isObject(data) && Number.isInteger((data as { attempt?: unknown }).attempt);
}

function isReport(data: unknown): data is Report {
  if (!isObject(data)) return false;
  const { source, state } = data as Partial<Report>;
  return (
    typeof state === "string" &&
    Number.isInteger(source) &&
    Number(source) >= 0 &&
    Number(source) < MOST
  );
}

function isObject(data: unknown): data is object {
  return typeof data === "object" && data !== null;
}
