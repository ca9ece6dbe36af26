// Lists, sizes and metadata as texts of a form's fields, and back.

/** Words between commas, spaces or lines. */
export function wordsIn(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

/** Names between commas or lines: they may have spaces. */
export function namesIn(text: string): string[] {
  return text
    .split(/[,\n]/)
    .map((name) => name.trim())
    .filter(Boolean);
}

const UNITS: Record<string, number> = {
  GiB: 1024 ** 3,
  GB: 1000 ** 3,
  MiB: 1024 ** 2,
  MB: 1000 ** 2,
  KiB: 1024,
  KB: 1000,
};

/** "10 MB", exactly: what no unit divides is said in bytes. */
export function sizeText(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return "";
  for (const [unit, size] of Object.entries(UNITS)) {
    if (bytes > 0 && bytes % size === 0) return `${bytes / size} ${unit}`;
  }
  return String(bytes);
}

/** The bytes of "10 MB", "1.5 GiB" or "500"; null for nothing, undefined for no size. */
export function sizeIn(text: string): number | null | undefined {
  const typed = text.trim();
  if (typed === "") return null;
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(typed) ?? [];
  if (number === "") return undefined;
  const known = Object.keys(UNITS).find((name) => name.toLowerCase() === unit.toLowerCase());
  if (known === undefined && !/^b?$/i.test(unit)) return undefined;
  const bytes = Math.round(Number(number) * (known ? (UNITS[known] ?? 1) : 1));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** "album = blue", a line for each; what is no plain text is written as JSON. */
export function metadataText(metadata: Record<string, unknown>): string {
  return Object.entries(metadata)
    .map(([name, value]) => `${isPlain(name) ? name : JSON.stringify(name)} = ${valueText(value)}`)
    .join("\n");
}

function isPlain(name: string): boolean {
  return name === name.trim() && !/[="\n]/.test(name);
}

function valueText(value: unknown): string {
  const plain =
    typeof value === "string" &&
    value === value.trim() &&
    !value.includes("\n") &&
    readJson(value) === undefined;
  return plain ? value : JSON.stringify(value);
}

// A name, quoted or plain, and what stands behind the equals sign.
const LINE = /^(?:("(?:[^"\\]|\\.)*")|([^="]+?))\s*=\s*(.*)$/;

/** What such lines say; undefined where one of them says nothing of anything. */
export function metadataIn(text: string): Record<string, unknown> | undefined {
  const metadata: Record<string, unknown> = {};
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const [, quoted, plain, value = ""] = LINE.exec(line.trim()) ?? [];
    const name = quoted === undefined ? plain?.trim() : readJson(quoted);
    if (typeof name !== "string" || name === "") return undefined;
    const json = readJson(value);
    metadata[name] = json === undefined ? value : json;
  }
  return metadata;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
