// The end of what is listed so far: that more of it comes, or why it does not.
import { Text } from "@mantine/core";
import { ErrorPanel } from "../../components/ErrorPanel";
import classes from "./FileTable.module.css";
import type { FolderQuery } from "./use-list";

interface ListTailProps {
  query: FolderQuery;
  /** Whether one sees the end. */
  near: boolean;
}

export function ListTail({ query, near }: ListTailProps) {
  const { isFetchingNextPage, error, fetchNextPage } = query;
  return (
    <>
      {isFetchingNextPage && near && (
        <Text size="sm" c="dimmed" className={classes.tail} role="status">
          Reading more of this folder…
        </Text>
      )}
      {error && (
        <div className={classes.tail}>
          <ErrorPanel
            title="The rest of this folder could not be read"
            error={error}
            onRetry={() => void fetchNextPage()}
          />
        </div>
      )}
    </>
  );
}
