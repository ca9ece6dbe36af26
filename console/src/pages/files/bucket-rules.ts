// A bucket's rules as a form has them: days and GiB instead of seconds and bytes.
import type { Bucket, BucketChange } from "../../api/types";

export interface Rules {
  hosts: string;
  public_read: boolean;
  by_role: boolean;
  versions: boolean;
  trashDays: number | string;
  quotaGib: number | string;
  quotaFiles: number | string;
  userQuotaGib: number | string;
}

const DAY = 86_400;
const GIB = 1024 ** 3;

export function rulesOf(bucket: Bucket): Rules {
  return {
    hosts: bucket.hosts.join("\n"),
    public_read: bucket.public_read,
    by_role: bucket.by_role,
    versions: bucket.versions,
    trashDays: rounded(bucket.trash_seconds / DAY),
    quotaGib: bucket.quota_bytes ? rounded(bucket.quota_bytes / GIB) : "",
    quotaFiles: bucket.quota_files ?? "",
    userQuotaGib: bucket.user_quota_bytes ? rounded(bucket.user_quota_bytes / GIB) : "",
  };
}

/** What is to be changed: only what the form changed, so that nothing is rounded unasked. */
export function changeOf(before: Rules, now: Rules): BucketChange {
  const change: BucketChange = {};
  if (now.hosts !== before.hosts) change.hosts = now.hosts.split(/[\s,]+/).filter(Boolean);
  if (now.public_read !== before.public_read) change.public_read = now.public_read;
  if (now.by_role !== before.by_role) change.by_role = now.by_role;
  if (now.versions !== before.versions) change.versions = now.versions;
  if (now.trashDays !== before.trashDays) change.trash_seconds = times(now.trashDays, DAY);
  if (now.quotaGib !== before.quotaGib) change.quota_bytes = times(now.quotaGib, GIB);
  if (now.quotaFiles !== before.quotaFiles) change.quota_files = times(now.quotaFiles, 1);
  if (now.userQuotaGib !== before.userQuotaGib) {
    change.user_quota_bytes = times(now.userQuotaGib, GIB);
  }
  return change;
}

const rounded = (value: number) => Math.round(value * 1000) / 1000;

// An empty field is 0, which the API takes for “without limit” or “not at all”.
const times = (value: number | string, unit: number) => Math.round(Number(value || 0) * unit);
