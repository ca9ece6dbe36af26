// Lists that are read page by page, and the changes that are put into them in place.
import type { InfiniteData } from "@tanstack/react-query";
import { queryClient } from "./query-client";

export type Pages<T> = InfiniteData<{ items: T[]; next?: string | null }>;

/** Changes the item `id` of a list; false when the list does not hold it. */
export function changeInPages<T extends { id: string }>(
  queryKey: readonly unknown[],
  id: string,
  change: (item: T) => T,
): boolean {
  const known = queryClient.getQueryData<Pages<T>>(queryKey);
  const at = known?.pages.findIndex(({ items }) => items.some((item) => item.id === id)) ?? -1;
  if (!known || at === -1) return false;
  const pages = known.pages.map((page, index) =>
    index === at
      ? { ...page, items: page.items.map((item) => (item.id === id ? change(item) : item)) }
      : page,
  );
  queryClient.setQueryData<Pages<T>>(queryKey, { ...known, pages });
  return true;
}

/** Takes the item `id` out of a list, where it holds it. */
export function dropFromPages(queryKey: readonly unknown[], id: string): void {
  queryClient.setQueryData<Pages<{ id: string }>>(queryKey, (known) =>
    known?.pages.some(({ items }) => items.some((item) => item.id === id))
      ? {
          ...known,
          pages: known.pages.map((page) => ({
            ...page,
            items: page.items.filter((item) => item.id !== id),
          })),
        }
      : known,
  );
}
