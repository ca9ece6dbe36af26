// Every change of every operation, from one live subscription: keeps what is
// running now, and tells pages about changes so that they update in place.
import type { Live } from "./live";
import type { Operation } from "./types";

type ChangeListener = (operation: Operation) => void;

export function isActive(operation: Pick<Operation, "state">): boolean {
  return operation.state === "running" || operation.state === "queued";
}

export class OperationFeed {
  #active = new Map<string, Operation>();
  #view: readonly Operation[] = [];
  #viewListeners = new Set<() => void>();
  #changeListeners = new Set<ChangeListener>();
  #resetListeners = new Set<() => void>();
  #scheduled = false;

  attach(live: Live): () => void {
    const leave = live.subscribe(
      { kind: "operations", filter: {} },
      {
        onOperation: (operation) => this.#change(operation),
        onReset: () => this.#reset(),
      },
    );
    return () => {
      leave();
      this.#active.clear();
      this.#schedule();
    };
  }

  /** Queued and running operations, the newest first. The same array until one changes. */
  readonly active = (): readonly Operation[] => this.#view;

  readonly onActive = (listener: () => void): (() => void) => {
    this.#viewListeners.add(listener);
    return () => this.#viewListeners.delete(listener);
  };

  readonly onChange = (listener: ChangeListener): (() => void) => {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  };

  readonly onReset = (listener: () => void): (() => void) => {
    this.#resetListeners.add(listener);
    return () => this.#resetListeners.delete(listener);
  };

  #change(operation: Operation): void {
    const known = this.#active.get(operation.id);
    if (known && known.changed > operation.changed) return;
    if (isActive(operation)) this.#active.set(operation.id, operation);
    else this.#active.delete(operation.id);
    for (const listener of this.#changeListeners) listener(operation);
    this.#schedule();
  }

  #reset(): void {
    this.#active.clear();
    for (const listener of this.#resetListeners) listener();
    this.#schedule();
  }

  // Many changes may come in one message burst; readers are told once.
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#view = [...this.#active.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
      for (const listener of this.#viewListeners) listener();
    });
  }
}
