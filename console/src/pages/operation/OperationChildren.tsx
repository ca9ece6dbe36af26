// The tree of operations that this one started. Done ones stay folded.
import { ActionIcon, Button, Title } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { mergeIntoPages, operationPages } from "../../api/operations";
import type { Operation } from "../../api/types";
import { useOperationChanges } from "../../api/use-live";
import { ErrorPanel } from "../../components/ErrorPanel";
import { OperationLine } from "../../components/OperationLine";
import classes from "./Operation.module.css";

export function OperationChildren({ parent }: { parent: string }) {
  const tree = useChildren(parent);
  if (tree.error) {
    return (
      <ErrorPanel title="Its parts could not be read" error={tree.error} onRetry={tree.refetch} />
    );
  }
  if (tree.children.length === 0) return null;
  return (
    <section aria-labelledby="children">
      <Title order={2} id="children" mb="xs">
        Parts
      </Title>
      <div className="card">
        <Branch tree={tree} />
      </div>
    </section>
  );
}

function Branch({ tree }: { tree: ReturnType<typeof useChildren> }) {
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
  const [open, setOpen] = useState(operation.state === "running");
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <div className={classes.child}>
      <div className={classes.childRow}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={26}
          ml={4}
          aria-expanded={open}
          aria-label={`Parts of ${operation.title}`}
          onClick={() => setOpen(!open)}
        >
          <Chevron size={16} aria-hidden />
        </ActionIcon>
        <OperationLine operation={operation} />
      </div>
      {open && <NestedBranch parent={operation.id} />}
    </div>
  );
}

function NestedBranch({ parent }: { parent: string }) {
  const tree = useChildren(parent);
  if (tree.children.length === 0) return null;
  return (
    <div className={classes.nested}>
      <Branch tree={tree} />
    </div>
  );
}

function useChildren(parent: string) {
  const options = operationPages({ parent, sort: "created_at", order: "asc", limit: 50 });
  const query = useInfiniteQuery(options);
  useOperationChanges(
    (change) => {
      if (change.parent !== parent) return;
      if (!mergeIntoPages(options.queryKey, change)) void query.refetch();
    },
    () => void query.refetch(),
  );
  return {
    children: query.data?.pages.flatMap((page) => page.items) ?? [],
    error: query.error,
    refetch: query.refetch,
    hasNextPage: query.hasNextPage,
    fetchNextPage: query.fetchNextPage,
  };
}
