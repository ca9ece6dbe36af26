// The newest line of the log of what runs, as it comes.
import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { operationQuery } from "../api/operations";
import { useLiveOperation } from "../api/use-live";
import { withoutAnsi } from "../log/ansi";
import classes from "./RunningDrawer.module.css";

export function LastLine({ id }: { id: string }) {
  const [line, setLine] = useState("");
  const end = useEndOfLog(id);
  useLiveOperation(end === null ? null : id, end, {
    onLog: (lines) => {
      const words = lines.map(({ text }) => withoutAnsi(text)).filter((text) => text.trim() !== "");
      setLine((before) => words.at(-1) ?? before);
    },
  });
  if (line === "") return null;
  return (
    <Text size="xs" c="dimmed" className={`mono ellipsis ${classes.last}`} title={line}>
      {line}
    </Text>
  );
}

// Lines are no changes of an operation: what was told of it earlier does not know where its
// log ends, and the whole of a long one would come for its last line.
function useEndOfLog(id: string): number | null {
  const { data, isFetchedAfterMount } = useQuery({
    ...operationQuery(id),
    refetchOnMount: "always",
  });
  const [end, setEnd] = useState<number | null>(null);
  if (end === null && data && isFetchedAfterMount) setEnd(Math.max(1, data.last_seq));
  return end;
}
