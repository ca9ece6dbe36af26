// A bucket's rules as a form has them: days, MiB and GiB instead of seconds and bytes.
import type { Bucket, BucketChange } from "../../api/types";

export interface Rules {
  hosts: string;
  public_read: boolean;
  by_role: boolean;
  /** Whether the authoriser's endpoint is asked. */
  asked: boolean;
  versions: boolean;
  trashDays: number | string;
  redirectMib: number | string;
  quotaGib: number | string;
  quotaFiles: number | string;
  userQuotaGib: number | string;
}

const DAY = 86_400;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

export function rulesOf(bucket: Bucket): Rules {
  return {
    hosts: bucket.hosts.join("\n"),
    public_read: bucket.public_read,
    by_role: bucket.by_role,
    asked: bucket.authoriser === "endpoint",
    versions: bucket.versions,
    trashDays: rounded(bucket.trash_seconds / DAY),
    redirectMib: bucket.redirect_above ? rounded(bucket.redirect_above / MIB) : "",
    quotaGib: bucket.quota_bytes ? rounded(bucket.quota_bytes / GIB) : "",
    quotaFiles: bucket.quota_files ?? "",
    userQuotaGib: bucket.user_quota_bytes ? rounded(bucket.user_quota_bytes / GIB) : "",
  };
}

/** What is to be changed: only what the form changed, so that nothing is rounded unasked. */
export function changeOf(before: Rules, now: Rules): BucketChange {
  const change: BucketChange = {};
  if (!sameHosts(now.hosts, before.hosts)) change.hosts = hostsIn(now.hosts);
  if (now.public_read !== before.public_read) change.public_read = now.public_read;
  if (now.by_role !== before.by_role) change.by_role = now.by_role;
  if (now.asked !== before.asked) change.authoriser = now.asked ? "endpoint" : "builtin";
  if (now.versions !== before.versions) change.versions = now.versions;
  if (now.trashDays !== before.trashDays) change.trash_seconds = times(now.trashDays, DAY);
  if (now.redirectMib !== before.redirectMib) change.redirect_above = times(now.redirectMib, MIB);
  if (now.quotaGib !== before.quotaGib) change.quota_bytes = times(now.quotaGib, GIB);
  if (now.quotaFiles !== before.quotaFiles) change.quota_files = times(now.quotaFiles, 1);
  if (now.userQuotaGib !== before.userQuotaGib) {
    change.user_quota_bytes = times(now.userQuotaGib, GIB);
  }
  return change;
}

export interface Difference {
  name: string;
  from: string;
  to: string;
}

const NAMES: Record<keyof Rules, { name: string; say: (value: never) => string }> = {
  hosts: { name: "Domains", say: (text: string) => hostsIn(text).join(", ") || "none" },
  public_read: { name: "Anybody may read", say: onOrOff },
  by_role: { name: "Open to roles", say: onOrOff },
  asked: { name: "Ask the authoriser", say: onOrOff },
  versions: { name: "Keep versions", say: onOrOff },
  trashDays: { name: "Days in the trash", say: (days: number | string) => String(days || 0) },
  redirectMib: {
    name: "Redirect above MiB",
    say: (most: number | string) => String(most || "never"),
  },
  quotaGib: { name: "Most GiB", say: limit },
  quotaFiles: { name: "Most files", say: limit },
  userQuotaGib: { name: "Most GiB of one user", say: limit },
};

/** The same in words, in the order of the form. */
export function differences(before: Rules, now: Rules): Difference[] {
  const keys = Object.keys(NAMES) as (keyof Rules)[];
  return keys.flatMap((key) => {
    const same = key === "hosts" ? sameHosts(before.hosts, now.hosts) : before[key] === now[key];
    if (same) return [];
    const { name, say } = NAMES[key];
    return [{ name, from: say(before[key] as never), to: say(now[key] as never) }];
  });
}

function onOrOff(value: boolean): string {
  return value ? "on" : "off";
}

function limit(value: number | string): string {
  return String(value || "no limit");
}

const hostsIn = (text: string) => text.split(/[\s,]+/).filter(Boolean);
const sameHosts = (one: string, other: string) =>
  hostsIn(one).join(" ") === hostsIn(other).join(" ");

const rounded = (value: number) => Math.round(value * 1000) / 1000;

// An empty field is 0, which the API takes for “without limit” or “not at all”.
const times = (value: number | string, unit: number) => Math.round(Number(value || 0) * unit);
