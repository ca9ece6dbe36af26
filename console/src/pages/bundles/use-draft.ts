// The draft of whoever is logged in, for the form that shows it.
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";
import { useSession } from "../../api/session";
import { changeDraft, type Draft, forgetDraft, keepDraft, readDraft } from "./bundle-draft";

const PAUSE_MS = 300;

export function useDraft() {
  // When the session ends beneath the form, this is still whose draft it is.
  const [user] = useState(useSession()?.user.name ?? "");
  const [draft, setDraft] = useState(() => readDraft(user));
  const keep = useDebouncedCallback(() => keepDraft(user), {
    delay: PAUSE_MS,
    flushOnUnmount: true,
  });
  const change = (part: Partial<Draft>) => {
    setDraft(changeDraft(user, part));
    keep();
    // A list that is dropped cannot be typed once more: it is guarded at once.
    if (part.file !== undefined) keep.flush();
  };
  const forget = () => {
    keep.cancel();
    forgetDraft(user);
  };
  return { draft, change, forget };
}
