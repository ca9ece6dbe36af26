// The addresses of a bundle's sources, read in pages for the rows in sight, as the
// log names a source only when it has ended.
import { asProblem } from "../../api/problem";
import type { BundleSource, BundleSources } from "../../api/types";

export const PAGE_SOURCES = 1_000;

/** Reads `limit` sources from number `from` on. */
export type ReadSources = (from: number, limit: number) => Promise<BundleSources>;

export class SourceNames {
  #read: ReadSources;
  #pages = new Map<number, BundleSource[]>();
  #asked = new Set<number>();
  #gone = false;
  #error: unknown = null;
  #changed: () => void;

  /** `changed` is called whenever more is known, or cannot be. */
  constructor(read: ReadSources, changed: () => void) {
    this.#read = read;
    this.#changed = changed;
  }

  get error(): unknown {
    return this.#error;
  }

  at(index: number): BundleSource | undefined {
    return this.#pages.get(pageOf(index))?.[index % PAGE_SOURCES];
  }

  /** Asks for the page of this source unless it is at hand or on its way. */
  want(index: number): void {
    const number = pageOf(index);
    if (this.#gone || this.#error !== null) return;
    if (this.#pages.has(number) || this.#asked.has(number)) return;
    void this.#ask(number);
  }

  retry(): void {
    this.#error = null;
    this.#changed();
  }

  async #ask(number: number): Promise<void> {
    this.#asked.add(number);
    try {
      const { items } = await this.#read(number * PAGE_SOURCES, PAGE_SOURCES);
      const page: BundleSource[] = [];
      for (const item of items) {
        if (pageOf(item.source) === number) page[item.source % PAGE_SOURCES] = item;
      }
      this.#pages.set(number, page);
    } catch (error) {
      // The operation, or the whole bundle, is not on record any more: neither is the list.
      if ([404, 410].includes(asProblem(error).status)) this.#gone = true;
      else this.#error = error;
    } finally {
      this.#asked.delete(number);
      this.#changed();
    }
  }
}

function pageOf(index: number): number {
  return Math.floor(index / PAGE_SOURCES);
}
