// Reads one log line as a terminal would draw it: colours, carriage returns
// that redraw, backspaces and erasures. Yields text pieces, never markup.

export interface Piece {
  text: string;
  /** Names of styles.ansi classes, such as "bold" or "fg-red". */
  classes: string;
  /** For the colours that have no class: the 256 and 24-bit ones. */
  color?: string;
  background?: string;
}

interface Style {
  flags: number;
  fg: string;
  bg: string;
}

const BOLD = 1;
const DIM = 2;
const ITALIC = 4;
const UNDERLINE = 8;
const INVERSE = 16;
const STRIKE = 32;

const FLAGS: ReadonlyArray<readonly [number, string]> = [
  [BOLD, "bold"],
  [DIM, "dim"],
  [ITALIC, "italic"],
  [UNDERLINE, "underline"],
  [INVERSE, "inverse"],
  [STRIKE, "strike"],
];
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const PLAIN: Style = { flags: 0, fg: "", bg: "" };
const ESCAPE = "\u001b";
// A line is drawn in cells; beyond this many it is shown as it came.
const WIDEST = 200_000;
const FARTHEST_JUMP = 1_000;

/** True when the text needs no more than being shown. */
export function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    if (steers(text.charCodeAt(i))) return false;
  }
  return true;
}

// C0 but for the tab, DEL and C1.
function steers(code: number): boolean {
  return (code < 32 && code !== 9) || (code >= 127 && code < 160);
}

export function parseAnsi(text: string): Piece[] {
  if (text === "") return [];
  if (isPlain(text)) return [{ text, classes: "" }];
  if (text.length > WIDEST) return [{ text: withoutAnsi(text), classes: "" }];
  return join(draw(text));
}

/** The words alone: for copying, for titles, for searching. */
export function withoutAnsi(text: string): string {
  return isPlain(text)
    ? text
    : draw(text.slice(0, WIDEST))
        .map((cell) => cell[0])
        .join("");
}

type Cell = [text: string, style: Style];

function draw(text: string): Cell[] {
  const cells: Cell[] = [];
  let column = 0;
  let style = PLAIN;
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? "";
    if (char === ESCAPE || char === "\u009b") {
      const sequence = readEscape(text, at);
      at = sequence.end;
      if (sequence.final === "m") style = restyle(style, sequence.parameters);
      else if (sequence.final === "K") erase(cells, column, sequence.parameters);
      else if (sequence.final === "G") column = moved(0, sequence.parameters, 1) - 1;
      else if (sequence.final === "D") column = moved(column, sequence.parameters, -1);
      else if (sequence.final === "C") column = moved(column, sequence.parameters, 1);
      continue;
    }
    if (char === "\r") column = 0;
    else if (char === "\b") column = Math.max(0, column - 1);
    else if (!steers(text.charCodeAt(at))) {
      const whole = String.fromCodePoint(text.codePointAt(at) ?? 32);
      while (cells.length < column) cells.push([" ", PLAIN]);
      cells[column] = [whole, style];
      column += 1;
      at += whole.length;
      continue;
    }
    at += 1;
  }
  return cells;
}

// Jumps are bounded, so that no sequence can ask for a billion blanks. In a line that is
// longer already, none moves farther back for that. A number that is too large is none.
function moved(column: number, parameters: string, direction: 1 | -1): number {
  const number = Number(parameters);
  const steps = number >= 1 && number < 2 ** 64 ? number : 1;
  const farthest = Math.max(column, FARTHEST_JUMP);
  return Math.min(Math.max(0, column + direction * steps), farthest);
}

function erase(cells: Cell[], column: number, parameters: string): void {
  if (parameters === "" || parameters === "0") cells.length = Math.min(cells.length, column);
  else if (parameters === "2") cells.length = 0;
  else if (parameters === "1") {
    for (let i = 0; i <= column && i < cells.length; i += 1) cells[i] = [" ", PLAIN];
  }
}

interface Sequence {
  final: string;
  parameters: string;
  end: number;
}

// ECMA-48: CSI parameters 0x30-0x3f, intermediates 0x20-0x2f, final 0x40-0x7e;
// OSC and its kin run to BEL or ST.
function readEscape(text: string, start: number): Sequence {
  let at = start + 1;
  if (text[start] === ESCAPE) {
    const kind = text[at] ?? "";
    at += 1;
    if (kind !== "" && "]PX^_".includes(kind))
      return { final: "", parameters: "", end: endOfString(text, at) };
    if (kind !== "[") {
      if (kind !== "" && "()*+#%".includes(kind)) at += 1;
      return { final: "", parameters: "", end: at };
    }
  }
  const from = at;
  while (at < text.length && inRange(text, at, 0x30, 0x3f)) at += 1;
  const parameters = text.slice(from, at);
  while (at < text.length && inRange(text, at, 0x20, 0x2f)) at += 1;
  if (at < text.length && inRange(text, at, 0x40, 0x7e)) {
    return { final: text[at] ?? "", parameters, end: at + 1 };
  }
  return { final: "", parameters, end: at };
}

function inRange(text: string, at: number, low: number, high: number): boolean {
  const code = text.charCodeAt(at);
  return code >= low && code <= high;
}

function endOfString(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === "\u0007") return at + 1;
    if (text[at] === ESCAPE) return text[at + 1] === "\\" ? at + 2 : at;
  }
  return text.length;
}

function restyle(before: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map(Number);
  const style = { ...before };
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i] ?? 0;
    if (code === 0) Object.assign(style, PLAIN);
    else if (code === 1) style.flags |= BOLD;
    else if (code === 2) style.flags |= DIM;
    else if (code === 3) style.flags |= ITALIC;
    else if (code === 4) style.flags |= UNDERLINE;
    else if (code === 7) style.flags |= INVERSE;
    else if (code === 9) style.flags |= STRIKE;
    else if (code === 22) style.flags &= ~(BOLD | DIM);
    else if (code === 23) style.flags &= ~ITALIC;
    else if (code === 24) style.flags &= ~UNDERLINE;
    else if (code === 27) style.flags &= ~INVERSE;
    else if (code === 29) style.flags &= ~STRIKE;
    else if (code === 39) style.fg = "";
    else if (code === 49) style.bg = "";
    else if (code === 38 || code === 48) {
      const [color, used] = extended(codes, i + 1);
      if (code === 38) style.fg = color;
      else style.bg = color;
      i += used;
    } else {
      const name = NAMES[code % 10];
      if (name === undefined) continue;
      if (code >= 30 && code < 38) style.fg = name;
      else if (code >= 40 && code < 48) style.bg = name;
      else if (code >= 90 && code < 98) style.fg = `bright-${name}`;
      else if (code >= 100 && code < 108) style.bg = `bright-${name}`;
    }
  }
  return style;
}

function extended(codes: number[], at: number): [string, number] {
  if (codes[at] === 5) return [indexed(codes[at + 1] ?? 0), 2];
  if (codes[at] === 2) return [rgb(codes[at + 1], codes[at + 2], codes[at + 3]), 4];
  return ["", 1];
}

function indexed(index: number): string {
  if (index < 8) return NAMES[index] ?? "";
  if (index < 16) return `bright-${NAMES[index - 8] ?? "white"}`;
  if (index >= 232)
    return rgb(8 + (index - 232) * 10, 8 + (index - 232) * 10, 8 + (index - 232) * 10);
  const cube = index - 16;
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  return rgb(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

function rgb(red = 0, green = 0, blue = 0): string {
  const part = (value: number) => Math.min(255, Math.max(0, Math.trunc(value) || 0));
  return `rgb(${part(red)}, ${part(green)}, ${part(blue)})`;
}

function join(cells: Cell[]): Piece[] {
  const pieces: Piece[] = [];
  let last: Style | null = null;
  for (const [text, style] of cells) {
    const piece = pieces.at(-1);
    if (piece && last && same(last, style)) piece.text += text;
    else pieces.push(pieceOf(text, style));
    last = style;
  }
  return pieces;
}

function same(a: Style, b: Style): boolean {
  return a === b || (a.flags === b.flags && a.fg === b.fg && a.bg === b.bg);
}

function pieceOf(text: string, style: Style): Piece {
  const classes = FLAGS.filter(([flag]) => (style.flags & flag) !== 0).map(([, name]) => name);
  const piece: Piece = { text, classes: "" };
  if (style.fg.startsWith("rgb")) piece.color = style.fg;
  else if (style.fg) classes.push(`fg-${style.fg}`);
  if (style.bg.startsWith("rgb")) piece.background = style.bg;
  else if (style.bg) classes.push(`bg-${style.bg}`);
  piece.classes = classes.join(" ");
  return piece;
}
