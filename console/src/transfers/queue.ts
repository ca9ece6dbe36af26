// What is being sent: a few at once, the others wait. It lives beside the pages, so that
// going to another one stops nothing. How a file is sent is for whoever makes a queue.
import { asProblem, type ProblemError } from "../api/problem";
import type { StoredFile } from "../api/types";

export type TransferState = "waiting" | "sending" | "paused" | "done" | "failed";

export interface Transfer {
  readonly id: number;
  readonly bucket: string;
  readonly path: string;
  readonly file: File;
  state: TransferState;
  /** Bytes that have arrived. */
  sent: number;
  /** Whether it may replace what lies at its path. */
  replace: boolean;
  /** Whether what was sent stays when it is stopped. */
  resumable: boolean;
  error: ProblemError | null;
}

/** Sends one file. Stopped by `signal`, it throws. */
export type Sender = (
  transfer: Transfer,
  progress: (sent: number) => void,
  signal: AbortSignal,
) => Promise<StoredFile>;

export interface NewTransfer {
  bucket: string;
  path: string;
  file: File;
}

export interface Counts {
  waiting: number;
  sending: number;
  paused: number;
  done: number;
  failed: number;
  /** Of all that is not cancelled. */
  bytes: number;
  sent: number;
}

/** How many are sent at once. */
export const AT_ONCE = 3;
/** A code of the server: something lies at the path, and nothing was replaced. */
export const OCCUPIED = "precondition-failed";

// How often listeners hear of progress.
const HEAR_MS = 150;

export class TransferQueue {
  readonly #send: Sender;
  readonly #discard: (transfer: Transfer) => void;
  readonly #running = new Map<number, AbortController>();
  readonly #listeners = new Set<() => void>();
  readonly #arrivals = new Set<(transfer: Transfer, file: StoredFile) => void>();
  #all: Transfer[] = [];
  #byId = new Map<number, Transfer>();
  /** Where the first waiting one may be; all before it have begun. */
  #next = 0;
  #lastId = 0;
  #version = 0;
  #telling: ReturnType<typeof setTimeout> | null = null;

  /** `discard`: forgets what a transfer that will never go on has left at the server. */
  constructor(send: Sender, discard: (transfer: Transfer) => void = () => {}) {
    this.#send = send;
    this.#discard = discard;
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /** Grows with every change that listeners were told of. */
  readonly version = () => this.#version;

  /** Calls `listener` with each file that has arrived. */
  onArrival(listener: (transfer: Transfer, file: StoredFile) => void): () => void {
    this.#arrivals.add(listener);
    return () => {
      this.#arrivals.delete(listener);
    };
  }

  get all(): readonly Transfer[] {
    return this.#all;
  }

  counts(): Counts {
    const counts = { waiting: 0, sending: 0, paused: 0, done: 0, failed: 0, bytes: 0, sent: 0 };
    for (const { state, file, sent } of this.#all) {
      counts[state] += 1;
      counts.bytes += file.size;
      counts.sent += state === "done" ? file.size : Math.min(sent, file.size);
    }
    return counts;
  }

  /** Whether leaving the page would stop something. */
  get busy(): boolean {
    return this.#running.size > 0 || this.#all.some(({ state }) => state === "waiting");
  }

  add(files: readonly NewTransfer[]): void {
    for (const { bucket, path, file } of files) {
      this.#lastId += 1;
      const transfer: Transfer = {
        id: this.#lastId,
        bucket,
        path,
        file,
        state: "waiting",
        sent: 0,
        replace: false,
        resumable: false,
        error: null,
      };
      this.#all.push(transfer);
      this.#byId.set(transfer.id, transfer);
    }
    this.#begin();
    this.#tell();
  }

  /** Takes one out, whether it runs or not, with what came of it. */
  cancel(id: number): void {
    const transfer = this.#byId.get(id);
    if (!transfer) return;
    this.#stop(id);
    if (transfer.state !== "done") this.#discard(transfer);
    this.#forget((other) => other.id === id);
  }

  cancelAll(): void {
    for (const transfer of this.#all) {
      if (transfer.state === "done") continue;
      this.#stop(transfer.id);
      this.#discard(transfer);
    }
    this.#forget(({ state }) => state !== "done");
  }

  pause(id: number): void {
    const transfer = this.#byId.get(id);
    if (!transfer || (transfer.state !== "sending" && transfer.state !== "waiting")) return;
    transfer.state = "paused";
    this.#stop(id);
    this.#begin();
    this.#tell();
  }

  /** Goes on with one that failed or was paused. */
  retry(id: number, replace?: boolean): void {
    const transfer = this.#byId.get(id);
    if (!transfer) return;
    this.#again(transfer, replace);
    this.#begin();
    this.#tell();
  }

  retryAll(wanted: (transfer: Transfer) => boolean, replace?: boolean): void {
    for (const transfer of this.#all) if (wanted(transfer)) this.#again(transfer, replace);
    this.#begin();
    this.#tell();
  }

  /** Takes out those that have ended, well or not. */
  clearEnded(): void {
    for (const transfer of this.#all) if (transfer.state === "failed") this.#discard(transfer);
    this.#forget(({ state }) => state === "done" || state === "failed");
  }

  /** Stops all and forgets it: somebody else uses this browser now. */
  abandon(): void {
    for (const id of [...this.#running.keys()]) this.#stop(id);
    this.#forget(() => true);
  }

  #again(transfer: Transfer, replace: boolean | undefined): void {
    if (transfer.state !== "failed" && transfer.state !== "paused") return;
    transfer.state = "waiting";
    transfer.error = null;
    if (replace !== undefined) transfer.replace = replace;
    this.#next = 0;
  }

  #stop(id: number): void {
    this.#running.get(id)?.abort();
    this.#running.delete(id);
  }

  #forget(gone: (transfer: Transfer) => boolean): void {
    this.#all = this.#all.filter((transfer) => {
      if (!gone(transfer)) return true;
      this.#byId.delete(transfer.id);
      return false;
    });
    this.#next = 0;
    this.#begin();
    this.#tell();
  }

  #begin(): void {
    while (this.#running.size < AT_ONCE) {
      let transfer = this.#all[this.#next];
      while (transfer && transfer.state !== "waiting") {
        this.#next += 1;
        transfer = this.#all[this.#next];
      }
      if (!transfer) return;
      this.#next += 1;
      void this.#run(transfer);
    }
  }

  async #run(transfer: Transfer): Promise<void> {
    const stop = new AbortController();
    this.#running.set(transfer.id, stop);
    transfer.state = "sending";
    const progress = (sent: number) => {
      if (stop.signal.aborted) return;
      transfer.sent = sent;
      this.#tellSoon();
    };
    try {
      const file = await this.#send(transfer, progress, stop.signal);
      if (stop.signal.aborted) return;
      transfer.state = "done";
      for (const listener of this.#arrivals) listener(transfer, file);
    } catch (error) {
      if (stop.signal.aborted) return;
      transfer.state = "failed";
      transfer.error = asProblem(error);
    }
    this.#running.delete(transfer.id);
    this.#begin();
    this.#tell();
  }

  #tell(): void {
    if (this.#telling) clearTimeout(this.#telling);
    this.#telling = null;
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }

  #tellSoon(): void {
    this.#telling ??= setTimeout(() => this.#tell(), HEAR_MS);
  }
}
