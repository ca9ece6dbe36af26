// How many operations failed since the console was opened, until Activity, which lists
// them, is looked at. Nothing is asked for it: changes are told anyway.
import { useLocation } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useOperationChanges } from "../api/use-live";

const NONE: ReadonlySet<string> = new Set();

export function useUnseenFailures(): number {
  const looking = useLocation({ select: ({ pathname }) => pathname === "/activity" });
  const [failed, setFailed] = useState(NONE);
  useOperationChanges(
    ({ id, state }) => {
      if (state === "failed" && !looking) setFailed((before) => new Set(before).add(id));
    },
    () => setFailed(NONE),
  );
  useEffect(() => {
    if (looking) setFailed(NONE);
  }, [looking]);
  return failed.size;
}
