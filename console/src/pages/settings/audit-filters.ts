// The filters of the record and their place in the address.
import type { AuditQuery } from "../../api/settings";
import { actorOf } from "../../format/actor";
import { RANGES, type Range } from "../activity/filters";

export interface AuditFilters {
  actor?: string;
  action?: string;
  subject?: string;
  range?: Range;
}

const TEXTS = ["actor", "action", "subject"] as const;

/** What is not understood in an address is left out rather than refused. */
export function readAuditFilters(search: Record<string, unknown>): AuditFilters {
  const filters: AuditFilters = {};
  for (const name of TEXTS) {
    const value = search[name];
    if (typeof value === "string" && value.trim() !== "") filters[name] = value.trim();
  }
  if (typeof search.range === "string" && Object.hasOwn(RANGES, search.range)) {
    filters.range = search.range as Range;
  }
  return filters;
}

// Some do things who are no users; they have no colon.
const NOT_USERS = new Set(["host", "system", "anonymous"]);

export function toAuditQuery(filters: AuditFilters, now: number): AuditQuery {
  const { range, actor, ...equal } = filters;
  return {
    ...equal,
    ...(actor ? { actor: NOT_USERS.has(actor) ? actor : actorOf(actor) } : {}),
    ...(range ? { from: new Date(now - RANGES[range] * 1000).toISOString() } : {}),
  };
}
