// What a form says of a grant, and what is sent of it.
import type { NewGrant, Permission } from "../../api/types";

export type HolderKind = "user" | "token" | "access_key";

export interface GrantValues {
  kind: HolderKind;
  /** A user's name, or the id of the other ones. */
  holder: string;
  prefix: string;
  permissions: Permission[];
}

export const PERMISSIONS: Array<{ value: Permission; about: string }> = [
  { value: "read", about: "get contents" },
  { value: "list", about: "see what there is" },
  { value: "write", about: "put and describe" },
  { value: "delete", about: "and restore" },
  { value: "share", about: "give links" },
];

export const grantRules = {
  holder: (holder: string) => (holder === "" ? "Say to whom" : null),
  permissions: (chosen: Permission[]) => (chosen.length === 0 ? "Say what may be done" : null),
};

export function grantOf({ kind, holder, prefix, permissions }: GrantValues): NewGrant {
  const to =
    kind === "user"
      ? { user: holder }
      : kind === "token"
        ? { token: holder }
        : { access_key: holder };
  return { ...to, prefix: prefix.trim(), permissions };
}
