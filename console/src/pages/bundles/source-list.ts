// Reads what somebody pasted or dropped: addresses, one per line. Says what was
// understood before anything is sent; the server decides in the end.

export interface SourceList {
  /** Addresses in the order given, without the duplicates. */
  urls: string[];
  duplicates: number;
  unreadable: UnreadableLine[];
  /** All unreadable lines; `unreadable` holds the first of them. */
  unreadableCount: number;
  /** More addresses than one bundle can take. */
  tooMany: number;
  /** Bytes that these addresses are to send, where a server may refuse so many; else 0. */
  large: number;
}

export interface UnreadableLine {
  line: number;
  text: string;
  reason: string;
}

export const MOST_SOURCES = 100_000;
// What a server takes unless its `http.body_limit` says otherwise. It has the last word: it
// may have been told to take more.
export const MOST_BYTES = 32 * 1024 * 1024;
const UNREADABLE_SHOWN = 20;
const LONGEST_SHOWN = 120;

export function readSourceList(text: string, mostBytes = MOST_BYTES): SourceList {
  const list: SourceList = {
    urls: [],
    duplicates: 0,
    unreadable: [],
    unreadableCount: 0,
    tooMany: 0,
    large: 0,
  };
  const seen = new Set<string>();
  for (const [line, given] of addressesOf(text)) {
    const reason = whyUnreadable(given);
    if (reason) {
      list.unreadableCount += 1;
      if (list.unreadable.length < UNREADABLE_SHOWN) {
        list.unreadable.push({ line, text: given.slice(0, LONGEST_SHOWN), reason });
      }
    } else if (seen.has(given)) {
      list.duplicates += 1;
    } else if (list.urls.length >= MOST_SOURCES) {
      list.tooMany += 1;
    } else {
      seen.add(given);
      list.urls.push(given);
    }
  }
  list.large = largeOf(list.urls, text.length, mostBytes);
  return list;
}

// Each stands in quotes, with a comma. No character of a text has more than three bytes in
// UTF-8, so what fits even then is not looked at.
function largeOf(urls: string[], characters: number, most: number): number {
  const around = 3 * urls.length;
  if (3 * characters + around <= most) return 0;
  const bytes = new Blob(urls).size + around;
  return bytes > most ? bytes : 0;
}

// One per line; a JSON array of strings, as the WebSocket protocol takes it, is
// read too. Empty lines and lines that start with # say nothing.
function* addressesOf(text: string): Generator<[line: number, address: string]> {
  const array = jsonArray(text);
  if (array) {
    for (const [index, entry] of array.entries()) {
      yield [index + 1, typeof entry === "string" ? entry.trim() : JSON.stringify(entry)];
    }
    return;
  }
  let line = 0;
  for (const raw of text.split(/\r\n|\n|\r/)) {
    line += 1;
    const address = unwrapped(raw.trim());
    if (address !== "" && !address.startsWith("#")) yield [line, address];
  }
}

function jsonArray(text: string): unknown[] | null {
  if (!text.trimStart().startsWith("[")) return null;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

// What spreadsheets and mails put around an address: quotes, brackets, commas.
function unwrapped(text: string): string {
  const bare = text.replace(/[,;]$/, "");
  const quoted = /^(?:"(.*)"|'(.*)'|<(.*)>)$/.exec(bare);
  return quoted ? (quoted[1] ?? quoted[2] ?? quoted[3] ?? "") : bare;
}

function whyUnreadable(address: string): string | null {
  if (/\s/.test(address)) return "has a space in it";
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(address)?.[1]?.toLowerCase();
  if (!scheme) return "has no http:// or https:// in front";
  if (scheme !== "http" && scheme !== "https") return `${scheme} addresses cannot be fetched`;
  return URL.canParse(address) ? null : "is not a complete address";
}

/** The last part of an address's path, for a row that has little room. */
export function fileNameOf(url: string): string {
  const path = url.split(/[?#]/, 1)[0] ?? url;
  const last = path.slice(path.lastIndexOf("/") + 1);
  if (last === "") return url;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
