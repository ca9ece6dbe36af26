// Who did something: the API writes people as `user:name`, and most are people.

export function actorName(actor: string): string {
  return actor.startsWith("user:") ? actor.slice(5) : actor;
}

/** What somebody typed as the API writes it. */
export function actorOf(typed: string): string {
  return typed.includes(":") ? typed : `user:${typed}`;
}
