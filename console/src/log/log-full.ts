// A log can fill the window, over whatever is open beneath.

/** Whether a log fills the window, so that Esc means it and nothing beneath. */
export function isLogFull(): boolean {
  return document.querySelector("[data-full=true]") !== null;
}
