// What is chosen in a short list, by id. What is not listed any more is not chosen.
import { useState } from "react";

export function useChosen<T extends { id: string }>(items: readonly T[]) {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  return {
    chosen: items.filter(({ id }) => ids.has(id)),
    isChosen: (id: string) => ids.has(id),
    toggle: (id: string) =>
      setIds((now) => {
        const next = new Set(now);
        if (!next.delete(id)) next.add(id);
        return next;
      }),
    all: () => setIds(new Set(items.map(({ id }) => id))),
    none: () => setIds(new Set()),
  };
}
