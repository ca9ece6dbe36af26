// The list that is being typed, kept for this tab: leaving the page or reloading it
// does not lose it.
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";
import { useSession } from "../../api/session";

const keyOf = (user: string) => `longshore-bundle-draft-${user}`;
// Browsers keep about 5 MB; a longer list is better dropped as a file.
const LONGEST = 1_000_000;
const PAUSE_MS = 300;

export function readDraft(user: string): string {
  try {
    return sessionStorage.getItem(keyOf(user)) ?? "";
  } catch {
    return "";
  }
}

export function keepDraft(user: string, text: string): void {
  try {
    if (text === "" || text.length > LONGEST) sessionStorage.removeItem(keyOf(user));
    else sessionStorage.setItem(keyOf(user), text);
  } catch {
    // Storage that is full or forbidden keeps nothing, and the form works all the same.
  }
}

export function useDraft() {
  const user = useSession()?.user.name ?? "";
  const [text, setText] = useState(() => readDraft(user));
  const keep = useDebouncedCallback((next: string) => keepDraft(user, next), {
    delay: PAUSE_MS,
    flushOnUnmount: true,
  });
  const change = (next: string) => {
    setText(next);
    keep(next);
  };
  const forget = () => {
    keep("");
    keep.flush();
  };
  return [text, change, forget] as const;
}
