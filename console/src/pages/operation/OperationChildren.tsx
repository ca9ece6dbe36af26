// The tree of operations that this one started. What runs is open, what failed opens with
// what failed in it, and what is done folds, until somebody folds or unfolds it.
import { ActionIcon, Button, Title } from "@mantine/core";
import { useThrottledCallback } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { mergeIntoPages, operationPages } from "../../api/operations";
import type { Operation } from "../../api/types";
import { useOperationChanges } from "../../api/use-live";
import { ErrorPanel } from "../../components/ErrorPanel";
import { OperationLine } from "../../components/OperationLine";
import { Waiting } from "../../components/Waiting";
import classes from "./Operation.module.css";

const CALM_MS = 1_000;

type Tree = ReturnType<typeof useChildren>;

export function OperationChildren({ parent }: { parent: string }) {
  const tree = useChildren(parent);
  if (tree.children.length === 0) return <Unread tree={tree} />;
  return (
    <section aria-labelledby="children">
      <Title order={2} id="children" mb="xs">
        Parts
      </Title>
      <Unread tree={tree} />
      <div className="card">
        <Branch tree={tree} />
      </div>
    </section>
  );
}

// What was read before stays below it.
function Unread({ tree }: { tree: Tree }) {
  if (!tree.error) return null;
  const title = tree.isFetchNextPageError
    ? "Further parts could not be read"
    : tree.children.length > 0
      ? "These may be out of date: the parts could not be read again"
      : "Its parts could not be read";
  const retry = tree.isFetchNextPageError ? tree.fetchNextPage : tree.refetch;
  return <ErrorPanel title={title} error={tree.error} onRetry={() => void retry()} />;
}

function Branch({ tree }: { tree: Tree }) {
  return (
    <>
      {tree.children.map((child) => (
        <Child key={child.id} operation={child} />
      ))}
      {tree.hasNextPage && (
        <Button variant="subtle" size="xs" m="xs" onClick={() => tree.fetchNextPage()}>
          Show more parts
        </Button>
      )}
    </>
  );
}

function Child({ operation }: { operation: Operation }) {
  const [pressed, setPressed] = useState<boolean | null>(null);
  const open = pressed ?? (operation.state === "running" || operation.state === "failed");
  const hasParts = useHasParts(operation);
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <div className={classes.child}>
      <div className={classes.childRow}>
        {hasParts && (
          <ActionIcon
            variant="subtle"
            color="gray"
            size={26}
            ml={4}
            aria-expanded={open}
            aria-label={`Parts of ${operation.title}`}
            onClick={() => setPressed(!open)}
          >
            <Chevron size={16} aria-hidden />
          </ActionIcon>
        )}
        <OperationLine operation={operation} />
      </div>
      {open && hasParts && <NestedBranch parent={operation.id} />}
    </div>
  );
}

function NestedBranch({ parent }: { parent: string }) {
  const tree = useChildren(parent);
  if (tree.isPending) return <Waiting what="Reading its parts…" />;
  if (tree.children.length === 0) return <Unread tree={tree} />;
  return (
    <div className={classes.nested}>
      <Unread tree={tree} />
      <Branch tree={tree} />
    </div>
  );
}

function useChildren(parent: string) {
  const options = operationPages({ parent, sort: "created_at", order: "asc", limit: 50 });
  const query = useInfiniteQuery(options);
  const reread = useThrottledCallback(() => void query.refetch(), CALM_MS);
  useOperationChanges((change) => {
    if (change.parent !== parent || mergeIntoPages(options.queryKey, change)) return;
    // The oldest stand first: what is new follows on a page that is not asked for yet.
    if (!query.hasNextPage) reread();
  }, reread);
  return {
    children: query.data?.pages.flatMap((page) => page.items) ?? [],
    error: query.error,
    isFetchNextPageError: query.isFetchNextPageError,
    isPending: query.isPending,
    refetch: query.refetch,
    hasNextPage: query.hasNextPage,
    fetchNextPage: query.fetchNextPage,
  };
}

// The list does not tell, so the first part is asked for; one that comes later is heard of.
function useHasParts({ id }: Operation): boolean {
  const first = useQuery({
    queryKey: ["has-parts", id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) =>
      take(api.GET("/api/v1/operations", { params: { query: { parent: id, limit: 1 } }, signal })),
  });
  const [heard, setHeard] = useState(false);
  const known = heard || (first.data?.items.length ?? 0) > 0;
  useOperationChanges(
    (change) => {
      if (change.parent === id) setHeard(true);
    },
    () => {
      if (!known) void first.refetch();
    },
  );
  return known;
}
