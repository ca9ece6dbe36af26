// The form of a bundle as it is being filled in, kept for each person: leaving the page
// does not lose it. What is typed and chosen is kept for this tab, too, so that a reload does
// not; what has no room there the browser asks about before it is lost.
import { areChanged, type OptionValues, START_OPTIONS } from "./bundle-options";

export interface ListFile {
  name: string;
  text: string;
}

export interface Draft {
  text: string;
  /** A list that was dropped or chosen, in the place of the text. */
  file: ListFile | null;
  options: OptionValues;
}

const EMPTY: Draft = { text: "", file: null, options: START_OPTIONS };
// Browsers keep about 5 MB for a tab.
const LONGEST = 1_000_000;

const keyOf = (user: string) => `longshore-bundle-draft-${user}`;
const drafts = new Map<string, Draft>();
/** Whose drafts a reload would lose something of. */
const unkept = new Set<string>();

export function readDraft(user: string): Draft {
  return drafts.get(user) ?? readKept(user);
}

/** Changes a part of it, which is the whole draft afterwards. */
export function changeDraft(user: string, part: Partial<Draft>): Draft {
  const draft = { ...readDraft(user), ...part };
  drafts.set(user, draft);
  return draft;
}

/** Keeps for this tab what there is room for. */
export function keepDraft(user: string): void {
  const { text, file, options } = readDraft(user);
  const fits = text.length <= LONGEST;
  const kept = text !== "" || areChanged(options);
  const done = store(user, kept ? { text: fits ? text : "", options } : null);
  if (file !== null || !fits || (kept && !done)) unkept.add(user);
  else unkept.delete(user);
  guard();
}

export function forgetDraft(user: string): void {
  drafts.delete(user);
  unkept.delete(user);
  store(user, null);
  guard();
}

// Storage that is full or forbidden keeps nothing, and the form works all the same.
function store(user: string, kept: Omit<Draft, "file"> | null): boolean {
  try {
    if (kept === null) sessionStorage.removeItem(keyOf(user));
    else sessionStorage.setItem(keyOf(user), JSON.stringify(kept));
    return true;
  } catch {
    return false;
  }
}

function readKept(user: string): Draft {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(keyOf(user)) ?? "null");
    if (!isRecord(kept)) return EMPTY;
    const text = typeof kept.text === "string" ? kept.text : "";
    return { text, file: null, options: readOptions(kept.options) };
  } catch {
    return EMPTY;
  }
}

// What another version of the console has kept is taken as far as it is understood.
function readOptions(kept: unknown): OptionValues {
  if (!isRecord(kept)) return START_OPTIONS;
  const known = Object.entries(START_OPTIONS).map(([name, start]) => [
    name,
    typeof kept[name] === typeof start ? kept[name] : start,
  ]);
  return Object.fromEntries(known) as OptionValues;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

// Wherever in the console one is by now: the draft would be lost from there, too.
function guard(): void {
  if (unkept.size > 0) window.addEventListener("beforeunload", ask);
  else window.removeEventListener("beforeunload", ask);
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
