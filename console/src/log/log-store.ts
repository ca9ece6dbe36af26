// The lines of one log that are at hand: the live end, and whatever part of the
// past is being looked at. Holds a bounded number of lines however long the log.
import type { LiveLine } from "../api/live";

export interface FetchedLines {
  lines: LiveLine[];
  firstSeq: number;
  lastSeq: number;
  ended: boolean;
}

/** Reads `limit` lines from sequence number `from` on. */
export type FetchLines = (from: number, limit: number) => Promise<FetchedLines>;

export const PAGE_LINES = 500;
const MOST_PAGES = 240;
/** Lines may be long, so their bytes are bounded, too. */
export const MOST_BYTES = 64 * 1024 * 1024;
// What is being looked at stays, however large it is.
const KEPT_PAGES = 4;
// An object with its numbers, beside its text.
const LINE_BYTES = 100;

interface Page {
  lines: Array<LiveLine | undefined>;
  held: number;
  bytes: number;
  usedAt: number;
}

export class LogStore {
  #fetch: FetchLines;
  #pages = new Map<number, Page>();
  #asked = new Set<number>();
  #gaps: Array<{ from: number; to: number; reason: string }> = [];
  #first = 1;
  #last: number;
  #ended = false;
  #error: unknown = null;
  #uses = 0;
  #bytes = 0;
  #version = 0;
  #listeners = new Set<() => void>();
  #scheduled = false;

  /** `last` is the newest sequence number that is known to exist. */
  constructor(fetch: FetchLines, last: number) {
    this.#fetch = fetch;
    this.#last = last;
  }

  readonly version = (): number => this.#version;

  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get first(): number {
    return this.#first;
  }
  get last(): number {
    return this.#last;
  }
  get ended(): boolean {
    return this.#ended;
  }
  get error(): unknown {
    return this.#error;
  }
  get held(): number {
    let lines = 0;
    for (const page of this.#pages.values()) lines += page.held;
    return lines;
  }

  /** About how much memory the lines take. */
  get bytes(): number {
    return this.#bytes;
  }

  line(seq: number): LiveLine | undefined {
    const page = this.#pages.get(pageOf(seq));
    return page?.lines[(seq - 1) % PAGE_LINES];
  }

  /** Why a line is missing for good, if it is. */
  gapAt(seq: number): string | undefined {
    return this.#gaps.find(({ from, to }) => from <= seq && seq <= to)?.reason;
  }

  push(lines: readonly LiveLine[]): void {
    for (const line of lines) this.#put(line);
    const last = lines.at(-1);
    if (last && last.seq > this.#last) this.#last = last.seq;
    this.#evict();
    this.#changed();
  }

  gap(from: number, to: number, reason: string): void {
    this.#gaps.push({ from, to, reason });
    if (from <= this.#first && reason === "expired") this.#first = Math.max(this.#first, to + 1);
    this.#last = Math.max(this.#last, to);
    this.#changed();
  }

  end(lastSeq: number): void {
    this.#ended = true;
    this.#last = Math.max(this.#last, lastSeq);
    this.#changed();
  }

  /** Asks for those of the lines `from` to `to` that are not at hand. */
  want(from: number, to: number): void {
    if (this.#last < this.#first) return;
    const start = pageOf(Math.max(from, this.#first));
    const end = pageOf(Math.min(to, this.#last));
    for (let number = start; number <= end; number += 1) {
      const page = this.#pages.get(number);
      if (page) page.usedAt = ++this.#uses;
      if (!this.#isWhole(number) && !this.#asked.has(number)) void this.#read(number);
    }
  }

  /** Forgets a failure, so that the lines are asked for again. */
  retry(): void {
    this.#error = null;
    this.#changed();
  }

  async #read(number: number): Promise<void> {
    if (this.#error !== null) return;
    this.#asked.add(number);
    const from = Math.max(number * PAGE_LINES + 1, this.#first);
    const limit = (number + 1) * PAGE_LINES - from + 1;
    try {
      const { lines, firstSeq, lastSeq, ended } = await this.#fetch(from, limit);
      for (const line of lines) if (pageOf(line.seq) === number) this.#put(line);
      this.#last = Math.max(this.#last, lastSeq);
      if (ended) this.#ended = true;
      if (firstSeq > this.#first) this.gap(this.#first, firstSeq - 1, "expired");
      const page = this.#pages.get(number);
      if (page) page.usedAt = ++this.#uses;
    } catch (error) {
      this.#error = error;
    } finally {
      this.#asked.delete(number);
      this.#evict();
      this.#changed();
    }
  }

  #isWhole(number: number): boolean {
    const from = Math.max(number * PAGE_LINES + 1, this.#first);
    const to = Math.min((number + 1) * PAGE_LINES, this.#last);
    const missing = to - from + 1 - (this.#pages.get(number)?.held ?? 0);
    if (missing <= 0) return true;
    for (let seq = from; seq <= to; seq += 1) {
      if (!this.line(seq) && this.gapAt(seq) === undefined) return false;
    }
    return true;
  }

  #put(line: LiveLine): void {
    const number = pageOf(line.seq);
    let page = this.#pages.get(number);
    if (!page) {
      page = { lines: [], held: 0, bytes: 0, usedAt: ++this.#uses };
      this.#pages.set(number, page);
    }
    const at = (line.seq - 1) % PAGE_LINES;
    const known = page.lines[at];
    if (!known) page.held += 1;
    const more = sizeOf(line) - (known ? sizeOf(known) : 0);
    page.bytes += more;
    this.#bytes += more;
    page.lines[at] = line;
  }

  #evict(): void {
    if (!this.#isFull()) return;
    const oldest = [...this.#pages].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [number, page] of oldest.slice(0, -KEPT_PAGES)) {
      if (!this.#isFull()) return;
      if (number === pageOf(this.#last)) continue;
      this.#pages.delete(number);
      this.#bytes -= page.bytes;
    }
  }

  #isFull(): boolean {
    return this.#pages.size > MOST_PAGES || this.#bytes > MOST_BYTES;
  }

  // A burst of lines is drawn once; timers run in background tabs too.
  #changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      this.#version += 1;
      for (const listener of this.#listeners) listener();
    }, 16);
  }
}

function pageOf(seq: number): number {
  return Math.floor((seq - 1) / PAGE_LINES);
}

function sizeOf({ text, data }: LiveLine): number {
  return LINE_BYTES * (data === undefined ? 1 : 3) + text.length * 2;
}
