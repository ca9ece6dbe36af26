// The roles and the scopes in words.
import type { Role, Scope } from "../../api/types";

export const ROLES: Array<{ value: Role; label: string }> = [
  { value: "admin", label: "Admin" },
  { value: "operator", label: "Operator" },
  { value: "viewer", label: "Viewer" },
];

export function roleWord(role: Role): string {
  return ROLES.find(({ value }) => value === role)?.label ?? role;
}

export const SCOPES: Array<{ value: Scope; label: string; about: string }> = [
  { value: "operations:read", label: "See operations", about: "and their logs" },
  { value: "operations:write", label: "Steer operations", about: "cancel, retry, schedules" },
  { value: "bundles:read", label: "See bundles", about: "and download them" },
  { value: "bundles:write", label: "Make bundles", about: "and delete them" },
  { value: "files:read", label: "Read files", about: "list and get them" },
  { value: "files:write", label: "Change files", about: "put, move, delete, share" },
  { value: "syncs:read", label: "See syncs", about: "and their deliveries" },
  { value: "syncs:write", label: "Steer syncs", about: "run, pause, retry" },
  { value: "admin", label: "Everything", about: "users, tokens and secrets too" },
];
