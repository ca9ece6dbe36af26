// A sync's rule as a form has it: every part has a field, at the path that the server names
// when something is wrong with it; sizes are words, lists are texts, and nothing is lost on
// the way there and back.
import type { SourceRule, StoreRule, SyncRule, TargetRule, When } from "../../api/types";
import { metadataIn, metadataText, namesIn, sizeIn, sizeText, wordsIn } from "./rule-texts";

export interface StoreValues {
  endpoint: string;
  region: string;
  bucket: string;
  prefix: string;
  path_style: boolean;
  access_key: string;
  secret: string | null;
}

export interface TableValues {
  schema: string;
  table: string;
  columns: Record<Column, string>;
  statuses: { ready: string; pending: string };
}

export const COLUMNS = [
  "id",
  "name",
  "type",
  "path",
  "copied",
  "remote_id",
  "status",
  "thumbnail",
  "creator",
  "metadata",
] as const;
type Column = (typeof COLUMNS)[number];

export interface SourceValues {
  kind: SourceRule["kind"];
  bucket: string | null;
  prefix: string;
  database: string | null;
  key_prefix: string;
  table: TableValues;
  store: StoreValues;
}

export interface TargetValues {
  /** Keeps a row of the form the same row while others come and go. */
  uid: number;
  name: string;
  when: { types: string; min_size: string; max_size: string; prefix: string; metadata: string };
  to: {
    kind: TargetRule["kind"];
    account: string;
    token: string | null;
    id: string;
    signed: boolean;
    creator: string;
    avif: boolean;
    api: string;
    batch: string;
    store: StoreValues;
    key: string;
    bucket: string | null;
    url: string;
    secret: string | null;
  };
}

export interface SyncValues {
  name: string;
  paused: boolean;
  source: SourceValues;
  targets: TargetValues[];
  schedule: string;
  zone: string;
  at_once: number | string;
  attempts: number | string;
  remove: boolean;
  report: { url: string; email: string; secret: string | null; failures_only: boolean };
}

const NO_STORE: StoreValues = {
  endpoint: "",
  region: "us-east-1",
  bucket: "",
  prefix: "",
  path_style: true,
  access_key: "",
  secret: null,
};

/** The table of the copier from Spaces to Cloudflare, as the server takes it, too. */
const USUAL_TABLE: TableValues = {
  schema: "",
  table: "File",
  columns: {
    id: "id",
    name: "fileName",
    type: "fileType",
    path: "path",
    copied: "copiedToCloudflare",
    remote_id: "cloudflareId",
    status: "status",
    thumbnail: "thumbnail",
    creator: "",
    metadata: "createdAt, dateTaken, gpsLatitude, gpsLongitude",
  },
  statuses: { ready: "ready", pending: "pending" },
};

let made = 0;

export function newTarget(name: string): TargetValues {
  made += 1;
  return {
    uid: made,
    name,
    when: { types: "", min_size: "", max_size: "", prefix: "", metadata: "" },
    to: {
      kind: "bucket",
      account: "",
      token: null,
      id: "",
      signed: false,
      creator: "",
      avif: false,
      api: "",
      batch: "",
      store: NO_STORE,
      key: "{key}",
      bucket: null,
      url: "",
      secret: null,
    },
  };
}

export function startValues(): SyncValues {
  return {
    name: "",
    paused: false,
    source: {
      kind: "bucket",
      bucket: null,
      prefix: "",
      database: null,
      key_prefix: "files/",
      table: USUAL_TABLE,
      store: NO_STORE,
    },
    targets: [newTarget("all")],
    schedule: "",
    zone: "UTC",
    at_once: "",
    attempts: "",
    remove: false,
    report: { url: "", email: "", secret: null, failures_only: false },
  };
}

/** What a form begins with that changes a rule, or makes another like it. */
export function valuesOf(name: string, rule: SyncRule): SyncValues {
  const start = startValues();
  return {
    ...start,
    name,
    source: sourceValues(start.source, rule.source),
    targets: rule.targets.map(({ name, when, to }) => {
      const target = newTarget(name);
      return { ...target, when: whenValues(when), to: toValues(target.to, to) };
    }),
    schedule: rule.schedule ?? "",
    zone: rule.zone || "UTC",
    at_once: rule.at_once ?? "",
    attempts: rule.attempts ?? "",
    remove: rule.remove ?? false,
    report: {
      url: rule.report?.url ?? "",
      email: (rule.report?.email ?? []).join(", "),
      secret: rule.report?.secret ?? null,
      failures_only: rule.report?.failures_only ?? false,
    },
  };
}

function sourceValues(start: SourceValues, source: SourceRule): SourceValues {
  switch (source.kind) {
    case "bucket":
      return { ...start, kind: "bucket", bucket: source.bucket, prefix: source.prefix ?? "" };
    case "store":
      return { ...start, kind: "store", store: storeValues(source.store) };
    case "rows": {
      const { database, key_prefix, store, table } = source;
      return {
        ...start,
        kind: "rows",
        database,
        key_prefix: key_prefix ?? start.key_prefix,
        store: storeValues(store),
        table: table
          ? {
              schema: table.schema ?? "",
              table: table.table,
              columns: { ...table.columns, metadata: table.columns.metadata.join(", ") },
              statuses: table.statuses,
            }
          : start.table,
      };
    }
  }
}

function storeValues(store: StoreRule): StoreValues {
  return { ...NO_STORE, ...store };
}

function whenValues(when: When | undefined): TargetValues["when"] {
  return {
    types: (when?.types ?? []).join(", "),
    min_size: sizeText(when?.min_size),
    max_size: sizeText(when?.max_size),
    prefix: when?.prefix ?? "",
    metadata: metadataText(when?.metadata ?? {}),
  };
}

// What a target does not have, or leaves open, stays as it is in a new one.
function toValues(start: TargetValues["to"], to: TargetRule): TargetValues["to"] {
  const said = Object.entries(to).filter(([, value]) => value !== null && value !== undefined);
  const values: TargetValues["to"] = { ...start, ...Object.fromEntries(said) };
  return to.kind === "store" ? { ...values, store: storeValues(to.store) } : values;
}

/** The rule that a form says, whole, as the server writes rules. */
export function toRule(values: SyncValues): SyncRule {
  const schedule = values.schedule.trim();
  return {
    source: toSource(values.source),
    targets: values.targets.map(({ name, when, to }) => ({
      name: name.trim(),
      when: toWhen(when),
      to: toTarget(to),
    })),
    schedule: schedule || null,
    zone: schedule ? values.zone : "",
    at_once: numberOf(values.at_once),
    attempts: numberOf(values.attempts),
    remove: values.remove,
    report: toReport(values.report),
  };
}

function toReport({ failures_only, ...report }: SyncValues["report"]): SyncRule["report"] {
  const url = report.url.trim() || null;
  const email = namesIn(report.email);
  if (!url && email.length === 0) return null;
  return { url, email, secret: report.secret || null, failures_only };
}

function toSource({ kind, ...source }: SourceValues): SourceRule {
  switch (kind) {
    case "bucket":
      return { kind, bucket: source.bucket ?? "", prefix: source.prefix.trim() };
    case "store":
      return { kind, store: toStore(source.store) };
    case "rows": {
      const { schema, table, columns, statuses } = source.table;
      return {
        kind,
        database: source.database ?? "",
        table: {
          schema: schema || null,
          table,
          columns: { ...columns, metadata: namesIn(columns.metadata) },
          statuses,
        },
        store: toStore(source.store),
        key_prefix: source.key_prefix.trim(),
      };
    }
  }
}

function toStore(store: StoreValues): StoreRule {
  const { endpoint, region, bucket, prefix, path_style, access_key, secret } = store;
  return {
    endpoint: endpoint.trim(),
    region: region.trim(),
    bucket: bucket.trim(),
    prefix: prefix.trim(),
    path_style,
    access_key: access_key.trim(),
    secret: secret ?? "",
  };
}

function toWhen({ types, min_size, max_size, prefix, metadata }: TargetValues["when"]): When {
  return {
    types: wordsIn(types),
    min_size: sizeIn(min_size) ?? null,
    max_size: sizeIn(max_size) ?? null,
    prefix: prefix.trim(),
    metadata: (metadataIn(metadata) ?? {}) as Record<string, never>,
  };
}

function toTarget(to: TargetValues["to"]): TargetRule {
  const { kind } = to;
  const said = (text: string) => text.trim() || null;
  const cloudflare = {
    account: to.account.trim(),
    token: to.token ?? "",
    id: said(to.id),
    signed: to.signed,
    creator: said(to.creator),
    api: said(to.api),
  };
  switch (kind) {
    case "cloudflare_images":
      return { kind, ...cloudflare, avif: to.avif, batch: said(to.batch) };
    case "cloudflare_stream":
      return { kind, ...cloudflare };
    case "store":
      return { kind, store: toStore(to.store), key: to.key.trim() };
    case "bucket":
      return { kind, bucket: to.bucket ?? "", key: to.key.trim() };
    case "webhook":
      return { kind, url: to.url.trim(), secret: to.secret || null };
  }
}

function numberOf(typed: number | string): number | null {
  return typed === "" ? null : Number(typed);
}
