// What the server takes for the name of a user, a token or a schedule.

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Why this cannot be a name, or null. */
export function nameProblem(text: string): string | null {
  const name = text.trim();
  if (name === "") return "Give a name";
  return NAME.test(name)
    ? null
    : "Letters, digits, dots, dashes and underscores; a letter or digit first";
}
