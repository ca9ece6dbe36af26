// The keys of the list and of tiles. They work as soon as the page is there, and never inside a
// field, a menu or a dialog. Its letters are none of those that go to a section after `g`.
import { useEffect, useRef } from "react";
import { DIALOG } from "../../components/dialogs";

export interface FileKeys {
  /** So many stand beside each other; in a list one. */
  columns: () => number;
  move: (by: number, choosing: boolean) => void;
  open: () => void;
  preview: () => void;
  toggle: () => void;
  chooseAll: () => void;
  rename: () => void;
  remove: () => void;
  /** Whether there was something to undo. */
  undo: () => boolean;
  download: () => void;
  share: () => void;
  up: () => void;
  escape: () => void;
}

const LINES_OF_A_PAGE = 15;
const LINES_OF_TILES = 3;
const FAR = Number.MAX_SAFE_INTEGER;

/** By how many rows a key moves where so many stand beside each other. */
export function stepOf(key: string, columns: number): number | undefined {
  const page = columns > 1 ? LINES_OF_TILES * columns : LINES_OF_A_PAGE;
  const steps: Record<string, number> = {
    ArrowDown: columns,
    ArrowUp: -columns,
    PageDown: page,
    PageUp: -page,
    Home: -FAR,
    End: FAR,
    ...(columns > 1 ? { ArrowRight: 1, ArrowLeft: -1 } : {}),
  };
  return steps[key];
}

export function useFileKeys(keys: FileKeys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || !isForList(event)) return;
      if (act(latest.current, event)) event.preventDefault();
    };
    // Before a dialog hears of a key: the one that closes it is not meant for the list.
    window.addEventListener("keydown", pressed, true);
    return () => window.removeEventListener("keydown", pressed, true);
  }, []);
}

function act(keys: FileKeys, event: KeyboardEvent): boolean {
  const { key, shiftKey, ctrlKey, metaKey, altKey } = event;
  const command = ctrlKey || metaKey;
  if (altKey) return false;
  if (command) {
    if (key === "a") keys.chooseAll();
    else if (key === " ") keys.toggle();
    else if (key === "z" && !shiftKey) return keys.undo();
    else return false;
    return true;
  }
  const step = stepOf(key, keys.columns());
  if (step !== undefined) keys.move(step, shiftKey);
  else if (key === "Enter") keys.open();
  else if (key === " ") keys.preview();
  else if (key === "Delete") keys.remove();
  else if (key === "F2" || key === "m") keys.rename();
  else if (key === "z") keys.download();
  else if (key === "l") keys.share();
  else if (key === "Backspace") keys.up();
  else if (key === "Escape") keys.escape();
  else return false;
  return true;
}

function isForList(event: KeyboardEvent): boolean {
  const { target, key } = event;
  if (document.querySelector(`${DIALOG}, [role=menu]`)) return false;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("[role=listbox]")) return false;
  if (target.matches("textarea, select, [role=textbox]")) return false;
  const box = target.matches("input[type=checkbox]");
  if (target.matches("input") && !box) return false;
  // A button, a link or a box does itself what these keys mean to it.
  if (key === "Enter") return !target.matches("a, button");
  return key !== " " || !(box || target.matches("button"));
}
