// Where the searched words stand in a piece of text, whatever their case.

export interface MarkedPart {
  text: string;
  marked: boolean;
}

export function markWords(text: string, words: string): MarkedPart[] | null {
  const wanted = words.toLowerCase();
  const low = text.toLowerCase();
  // Lower case may be longer than the text was; then the places would not match.
  if (wanted === "" || low.length !== text.length) return null;
  const parts: MarkedPart[] = [];
  let from = 0;
  for (let at = low.indexOf(wanted); at !== -1; at = low.indexOf(wanted, from)) {
    if (at > from) parts.push({ text: text.slice(from, at), marked: false });
    from = at + wanted.length;
    parts.push({ text: text.slice(at, from), marked: true });
  }
  if (parts.length === 0) return null;
  if (from < text.length) parts.push({ text: text.slice(from), marked: false });
  return parts;
}
