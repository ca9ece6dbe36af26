import { expect, it } from "vitest";
import type { Bucket } from "../../api/types";
import { changeOf, rulesOf } from "./bucket-rules";

const bucket = {
  hosts: ["a.test"],
  public_read: false,
  by_role: true,
  versions: false,
  trash_seconds: 604_800,
  quota_bytes: 123_456_789,
  quota_files: null,
  user_quota_bytes: null,
} as unknown as Bucket;

it("nothing changes of what the form did not", () => {
  expect(changeOf(rulesOf(bucket), rulesOf(bucket))).toEqual({});
});

it("days and GiB become seconds and bytes, and an empty field no limit", () => {
  const before = rulesOf(bucket);
  expect(before.trashDays).toBe(7);
  const now = { ...before, trashDays: 0.5, quotaGib: "", userQuotaGib: 2, hosts: "a.test, b.test" };
  expect(changeOf(before, now)).toEqual({
    hosts: ["a.test", "b.test"],
    trash_seconds: 43_200,
    quota_bytes: 0,
    user_quota_bytes: 2_147_483_648,
  });
});
