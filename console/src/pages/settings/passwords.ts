// What a password must be, and how its fields look.

const SHORTEST = 10;

/** Why this cannot be a password, or null. */
export function passwordProblem(password: string): string | null {
  return password.length < SHORTEST ? `At least ${SHORTEST} characters` : null;
}

export const PASSWORD_TOGGLE = { "aria-label": "Show or hide the password", tabIndex: 0 };
