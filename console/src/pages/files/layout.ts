// Whether files are shown as a list or as tiles. The address says it; where it does not, it
// is as one had it last in this browser.
export type Layout = "list" | "tiles";

const KEY = "longshore-files-layout";

export function rememberedLayout(): Layout {
  try {
    return localStorage.getItem(KEY) === "tiles" ? "tiles" : "list";
  } catch {
    // A browser may forbid to remember anything.
    return "list";
  }
}

export function rememberLayout(layout: Layout): void {
  try {
    localStorage.setItem(KEY, layout);
  } catch {
    // Then the address alone says it.
  }
}

const LEAST_WIDTH = 148;

/** So many tiles stand in a line of this width. */
export function columnsIn(width: number): number {
  return Math.max(2, Math.floor(width / LEAST_WIDTH));
}

/** As large a picture is loaded to be shown on a tile; a larger one is looked at by itself. */
const MOST_PICTURE = 8 * 1024 * 1024;

export function fitsTile(size: number): boolean {
  return size > 0 && size <= MOST_PICTURE;
}
