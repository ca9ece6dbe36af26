// The bundles that are listed, and what happens to them and beside them meanwhile.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { bundlePages, readBundles } from "../../api/bundles";
import { isActive } from "../../api/feed";
import type { Operation } from "../../api/types";
import { useOperationChanges } from "../../api/use-live";
import {
  compareList,
  listHolds,
  putIntoList,
  putOperationIntoList,
  readIntoList,
  waitingAfter,
} from "./bundle-list";

export function useBundleList() {
  // What a break of the line kept back the live connection tells afterwards.
  const query = useInfiniteQuery({ ...bundlePages, refetchOnReconnect: false });
  const { data, refetch, isFetching } = query;
  const bundles = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const [begun, setBegun] = useState<ReadonlySet<string>>(new Set());
  const [failure, setFailure] = useState<unknown>(null);

  const tell = (ids: readonly string[]) =>
    setBegun((before) =>
      ids.every((id) => before.has(id)) ? before : new Set([...before, ...ids]),
    );

  const readAll = () => {
    setFailure(null);
    return refetch();
  };

  const readOne = async (id: string) => {
    try {
      await readIntoList(id);
    } catch (error) {
      setFailure(error);
    }
  };

  // One that ended has a size now, which is read. Whatever comes of that, it runs no more.
  const end = async (operation: Operation) => {
    await readOne(operation.id);
    putOperationIntoList(operation);
  };

  const change = (operation: Operation) => {
    if (!listHolds(operation.id)) {
      setBegun((before) => waitingAfter(before, operation));
    } else if (isActive(operation)) putOperationIntoList(operation);
    else void end(operation);
  };

  // Changes may have been missed: the list is compared with what there is now.
  const compare = async () => {
    try {
      const read = await readBundles(null);
      const { fresh, unread, replaced } = compareList(bundles, read);
      if (replaced) {
        setBegun(new Set());
        void readAll();
        return;
      }
      for (const bundle of read.items) putIntoList(bundle);
      tell(fresh);
      await Promise.all(unread.map(readOne));
    } catch (error) {
      setFailure(error);
    }
  };

  // What is told while the list is on its way may be newer than what arrives.
  const heard = useRef(new Map<string, Operation>());
  useOperationChanges(
    (operation) => {
      if (isFetching) heard.current.set(operation.id, operation);
      change(operation);
    },
    () => void compare(),
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the list has arrived
  useEffect(() => {
    if (isFetching) return;
    const late = [...heard.current.values()];
    heard.current.clear();
    for (const operation of late) change(operation);
  }, [isFetching]);

  const newest = bundles[0]?.id ?? "";
  return {
    query,
    bundles,
    /** How many began since, and wait to be shown. */
    fresh: [...begun].filter((id) => id > newest).length,
    showFresh: () => {
      setBegun(new Set());
      void readAll();
    },
    /** Why the list may be out of date. */
    failure: query.error ?? failure,
    readAll,
  };
}
