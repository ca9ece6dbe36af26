// The nouns of syncs as the API has them.

export interface StoreRule {
  endpoint: string;
  region?: string;
  bucket: string;
  prefix?: string;
  path_style?: boolean;
  access_key: string;
  secret: string;
}

export type SourceRule =
  | {
      kind: "rows";
      database: string;
      table?: Record<string, unknown>;
      store: StoreRule;
      key_prefix?: string;
    }
  | { kind: "store"; store: StoreRule }
  | { kind: "bucket"; bucket: string; prefix?: string };

export type TargetRule =
  | {
      kind: "cloudflare_images";
      account: string;
      token: string;
      id?: string | null;
      signed?: boolean;
      api?: string | null;
    }
  | {
      kind: "cloudflare_stream";
      account: string;
      token: string;
      signed?: boolean;
      api?: string | null;
    }
  | { kind: "store"; store: StoreRule; key?: string }
  | { kind: "bucket"; bucket: string; key?: string }
  | { kind: "webhook"; url: string; secret?: string | null };

export interface When {
  types?: string[];
  min_size?: number | null;
  max_size?: number | null;
  prefix?: string;
  metadata?: Record<string, unknown>;
}

export interface SyncRoute {
  name: string;
  when?: When;
  to: TargetRule;
}

export interface SyncRule {
  source: SourceRule;
  targets: SyncRoute[];
  schedule?: string | null;
  zone?: string;
  at_once?: number | null;
  attempts?: number | null;
  remove?: boolean;
  report?: { url: string; secret?: string | null; failures_only?: boolean } | null;
}

export interface Sync {
  id: string;
  name: string;
  rule: SyncRule;
  origin: "people" | "environment";
  paused: boolean;
  created_at: string;
  created_by: string;
  changed_at: string;
}

export const DELIVERY_STATES = [
  "pending",
  "intended",
  "created",
  "uploaded",
  "working",
  "again",
  "verified",
  "marked",
  "skipped",
  "failed",
  "removed",
] as const;

export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface Delivery {
  id: string;
  item: string;
  place: string;
  name: string;
  type: string;
  size: number | null;
  target: string | null;
  state: DeliveryState;
  remote_id: string | null;
  thumbnail: string | null;
  attempt: number;
  failures: number;
  reason: string | null;
  next_at: string | null;
  claimed: boolean;
  operation: string | null;
  found_at: string;
  changed_at: string;
  ended_at: string | null;
  /** `retry`, `deliver_again`. */
  actions: string[];
}

export interface Tally {
  delivered: number;
  working: number;
  skipped: number;
  failed: number;
  retried: number;
  removed: number;
  bytes: number;
}

export interface Pass extends Tally {
  id: string;
  started_at: string;
  ended_at: string | null;
}

/** A sync, and how it stands. */
export interface SyncShown extends Sync {
  /** How many of its files are in each state. */
  counts: Partial<Record<DeliveryState, number>>;
  last_pass: Pass | null;
  next_run: string | null;
  /** `run`, `pause`, `resume`, `retry`, `verify`. */
  actions: string[];
}

export interface PlannedFile {
  item: string;
  name: string;
  type: string;
  size: number | null;
  target: string | null;
  skipped: string | null;
}

export interface DryRun {
  files: PlannedFile[];
  deliver: number;
  skip: number;
  known: number;
  more: boolean;
}

export interface CheckedThing {
  what: string;
  ok: boolean;
  missing: string | null;
}

export interface NewSync {
  name: string;
  rule: SyncRule;
  paused?: boolean;
}

export interface SyncChange {
  rule?: SyncRule | null;
  paused?: boolean | null;
}
