// A pause in typing this long means that what was typed is meant.
export const TYPING_PAUSE_MS = 250;
