// The columns of the table, and which of them the server can sort by.
import type { Sort } from "./filters";

/** As in the style: with the menu beside it, less has no room for the columns. */
export const TWO_LINES = "60em";

export interface Column {
  name: string;
  sort?: Sort;
  className: string;
}

export const COLUMNS: readonly Column[] = [
  { name: "State", sort: "state", className: "state" },
  { name: "Operation", className: "title" },
  { name: "Kind", sort: "kind", className: "kind" },
  { name: "Subject", sort: "subject", className: "subject" },
  { name: "Server", sort: "server", className: "server" },
  { name: "By", sort: "actor", className: "actor" },
  { name: "Trigger", sort: "trigger", className: "trigger" },
  { name: "Took", className: "took" },
  { name: "When", sort: "created_at", className: "when" },
];
