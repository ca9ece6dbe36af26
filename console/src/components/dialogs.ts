// What all dialogs share: how they are found, and where the focus was before one took it.

/** Finds the dialogs, drawers and palettes that hold the page, also one that is fading out. */
export const DIALOG = "[role=dialog][aria-modal=true]";

let outside: HTMLElement | undefined;

/** Remembers what has the focus outside dialogs; called once, before the first of them. */
export function watchFocus(): void {
  document.addEventListener("focusin", ({ target }) => {
    if (target instanceof HTMLElement && !target.closest(DIALOG)) outside = target;
  });
}

/**
 * For a dialog that has faded out and is about to leave the page. It has given the focus back
 * by itself, except when it was closed before it had the focus: then it took it while it
 * faded, and the focus would be lost with it.
 */
export function returnFocus(): void {
  const dialogs = document.querySelectorAll(DIALOG);
  // One that stands over another gives the focus back to that other.
  const last = dialogs.length === 1 ? dialogs[0] : undefined;
  if (last?.contains(document.activeElement) && outside?.isConnected) {
    outside.focus({ preventScroll: true });
  }
}
