// Metadata as pairs of texts. What reads as JSON is JSON, all else is a text; a text that
// would read as JSON is shown in quotes, so that every value comes back as it was.

export interface Pair {
  id: number;
  name: string;
  text: string;
}

export function toPairs(metadata: Record<string, unknown>): Pair[] {
  return Object.entries(metadata).map(([name, value], id) => ({ id, name, text: shown(value) }));
}

/** The object that the pairs mean, or what is wrong with them. */
export function fromPairs(pairs: readonly Pair[]): Record<string, unknown> | string {
  const metadata: [string, unknown][] = [];
  for (const { name, text } of pairs) {
    if (name.trim() === "" && text === "") continue;
    if (name.trim() === "") return "A value has no name";
    if (metadata.some(([known]) => known === name)) return `“${name}” is there twice`;
    metadata.push([name, meant(text)]);
  }
  const made = Object.fromEntries(metadata);
  const long = new TextEncoder().encode(JSON.stringify(made)).length;
  return long > 8192 ? `It is ${long} bytes long, and may be 8192` : made;
}

function shown(value: unknown): string {
  return typeof value === "string" && typeof meant(value) === "string" && meant(value) === value
    ? value
    : JSON.stringify(value);
}

function meant(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
