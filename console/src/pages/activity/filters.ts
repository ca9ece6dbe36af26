// The table's filters and their place in the address. What is not understood in
// an address is left out rather than refused, so that old links keep working.

import type { Operation, OperationState, Trigger } from "../../api/types";
import { actorOf } from "../../format/actor";

export const STATES: readonly OperationState[] = [
  "queued",
  "running",
  "succeeded",
  "failed",
  "cancelled",
  "interrupted",
];
export const TRIGGERS: readonly Trigger[] = [
  "person",
  "api",
  "schedule",
  "push",
  "operation",
  "system",
];
export const SORTS = [
  "created_at",
  "kind",
  "state",
  "subject",
  "server",
  "actor",
  "trigger",
] as const;
export const RANGES = { "1h": 3_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000 } as const;

export const RANGE_WORDS = [
  { value: "1h", label: "Last hour" },
  { value: "24h", label: "Last day" },
  { value: "7d", label: "Last 7 days" },
  { value: "30d", label: "Last 30 days" },
];

export type Sort = (typeof SORTS)[number];
export type Order = "asc" | "desc";
export type Range = keyof typeof RANGES;

export interface Filters {
  kind?: string;
  state?: OperationState;
  subject?: string;
  server?: string;
  actor?: string;
  trigger?: Trigger;
  parent?: string;
  text?: string;
  range?: Range;
  from?: string;
  to?: string;
  sort?: Sort;
  order?: Order;
}

const TEXTS = ["kind", "subject", "server", "actor", "parent", "text"] as const;

/** Reads the address's search part; whatever it holds, the result is usable. */
export function readFilters(search: Record<string, unknown>): Filters {
  const filters: Filters = {};
  for (const name of TEXTS) {
    const value = search[name];
    if (typeof value === "string" && value.trim() !== "") filters[name] = value;
    else if (typeof value === "number") filters[name] = String(value);
  }
  const state = STATES.find((known) => known === search.state);
  if (state) filters.state = state;
  const trigger = TRIGGERS.find((known) => known === search.trigger);
  if (trigger) filters.trigger = trigger;
  if (typeof search.range === "string" && Object.hasOwn(RANGES, search.range)) {
    filters.range = search.range as Range;
  }
  for (const name of ["from", "to"] as const) {
    const value = search[name];
    if (typeof value === "string" && !Number.isNaN(Date.parse(value))) filters[name] = value;
  }
  const sort = SORTS.find((known) => known === search.sort);
  if (sort && sort !== "created_at") filters.sort = sort;
  if (search.order === "asc") filters.order = "asc";
  return filters;
}

/** The filters as the API takes them. A range becomes a time, counted from `now`. */
export function toQuery(filters: Filters, now: number) {
  const { range, from, to, sort, order, actor, ...equal } = filters;
  const start = range ? new Date(now - RANGES[range] * 1000).toISOString() : from;
  return {
    ...equal,
    ...(actor ? { actor: actorOf(actor) } : {}),
    ...(start ? { from: start } : {}),
    ...(to ? { to } : {}),
    sort: sort ?? ("created_at" as const),
    order: order ?? ("desc" as const),
  };
}

/** The same list as a call that anybody can repeat. */
export function toApiCall(filters: Filters, origin: string, now: number): string {
  const query = new URLSearchParams(toQuery(filters, now));
  return `curl -u NAME '${origin}/api/v1/operations?${query}'`;
}

/** True for a change that belongs into the filtered list. */
export function belongs(operation: Operation, filters: Filters, now: number): boolean {
  const { kind, state, subject, server, actor, trigger, parent, text, to } = filters;
  if (kind && operation.kind !== kind) return false;
  if (state && operation.state !== state) return false;
  if (subject && operation.subject !== subject) return false;
  if (server && operation.server !== server) return false;
  if (actor && operation.actor !== actorOf(actor)) return false;
  if (trigger && operation.trigger !== trigger) return false;
  if (parent && operation.parent !== parent) return false;
  const created = Date.parse(operation.created_at);
  const from = toQuery(filters, now).from;
  if (from && created < Date.parse(from)) return false;
  if (to && created > Date.parse(to)) return false;
  return !text || wordsOf(operation).includes(text.toLowerCase());
}

function wordsOf({ title, subject, error }: Operation): string {
  return `${title} ${subject ?? ""} ${error?.message ?? ""}`.toLowerCase();
}

/** The filters with another order of the rows; what is so anyway is not written. */
export function sortedBy(filters: Filters, sort: Sort, order: Order): Filters {
  const { sort: _sort, order: _order, ...rest } = filters;
  return {
    ...rest,
    ...(sort === "created_at" ? {} : { sort }),
    ...(order === "asc" ? { order } : {}),
  };
}

/** How a column is sorted that was not before: the newest first, and words from A on. */
export function firstOrder(sort: Sort): Order {
  return sort === "created_at" ? "desc" : "asc";
}

export function activeFilters(filters: Filters): number {
  const { sort: _sort, order: _order, ...narrowing } = filters;
  return Object.keys(narrowing).length;
}
