// Numbers as people read them: bytes in the units that file managers use,
// counts with separators, shares of a whole.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const counts = new Intl.NumberFormat("en");

export function bytes(value: number): string {
  let unit = 0;
  let left = Math.max(0, value);
  while (left >= 1024 && unit < UNITS.length - 1) {
    left /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || left >= 100 ? 0 : left >= 10 ? 1 : 2;
  return `${left.toFixed(digits)} ${UNITS[unit]}`;
}

export function bytesPerSecond(value: number): string {
  return `${bytes(value)}/s`;
}

export function count(value: number): string {
  return counts.format(value);
}

/** A count of what there may be more of. */
export function countSoFar(value: number, more: boolean): string {
  return more ? `${count(value)}+` : count(value);
}

export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** From 0 to 100, or null when the whole is not known. */
export function percent(done: number, total: number | null | undefined): number | null {
  if (total === null || total === undefined || total <= 0) return null;
  return Math.min(100, Math.max(0, (done / total) * 100));
}

/** An amount in whatever unit an operation counts in. */
export function amount(value: number, unit: string): string {
  if (unit === "bytes" || unit === "byte" || unit === "B") return bytes(value);
  return unit ? `${count(value)} ${unit}` : count(value);
}
