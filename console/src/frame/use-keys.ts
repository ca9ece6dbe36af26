// The keys that work everywhere: `g` and a letter, `/`, `?`. None of them fires
// inside a field or together with Ctrl, Alt or Meta; in a dialog
// only `/` does, for its own field.
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { DIALOG } from "../components/dialogs";
import { SECTIONS } from "./sections";

// How long `g` waits for its letter.
const PREFIX_MS = 1_200;

/** Put on the field that `/` goes to; the last one on the page wins. */
export const SEARCH_HERE = { "data-search-here": true } as const;

export function useKeys(openHelp: () => void): void {
  const navigate = useNavigate();
  const prefixAt = useRef(0);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
      if (takesText(event.target)) return;
      const dialog = openDialog();
      if (dialog) {
        if (event.key === "/") goToSearch(dialog, event);
        return;
      }
      if (event.timeStamp - prefixAt.current < PREFIX_MS) {
        prefixAt.current = Number.NEGATIVE_INFINITY;
        const section = SECTIONS.find(({ key }) => key === event.key);
        if (!section) return;
        event.preventDefault();
        void navigate({ to: section.to });
      } else if (event.key === "g") {
        prefixAt.current = event.timeStamp;
      } else if (event.key === "?") {
        event.preventDefault();
        openHelp();
      } else if (event.key === "/") {
        goToSearch(document, event);
      }
    };
    prefixAt.current = Number.NEGATIVE_INFINITY;
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [navigate, openHelp]);
}

function takesText(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input, textarea, select, [role=textbox]"))
  );
}

function goToSearch(within: ParentNode, event: KeyboardEvent): void {
  const fields = within.querySelectorAll<HTMLElement>("[data-search-here]");
  const field = fields[fields.length - 1];
  if (!field) return;
  event.preventDefault();
  field.focus();
}

function openDialog(): Element | undefined {
  return [...document.querySelectorAll(DIALOG)].at(-1);
}
