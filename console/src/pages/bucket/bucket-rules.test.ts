import { expect, it } from "vitest";
import type { Bucket } from "../../api/types";
import { changeOf, differences, rulesOf } from "./bucket-rules";

const bucket = {
  hosts: ["a.test"],
  public_read: false,
  by_role: true,
  authoriser: "builtin",
  versions: false,
  trash_seconds: 604_800,
  redirect_above: null,
  quota_bytes: 123_456_789,
  quota_files: null,
  user_quota_bytes: null,
} as unknown as Bucket;

it("nothing changes of what the form did not", () => {
  const rules = rulesOf(bucket);
  expect(changeOf(rules, rulesOf(bucket))).toEqual({});
  expect(differences(rules, { ...rules, hosts: " a.test\n" })).toEqual([]);
});

it("days, MiB and GiB become seconds and bytes, and an empty field no limit", () => {
  const before = rulesOf(bucket);
  expect(before.trashDays).toBe(7);
  const now = {
    ...before,
    trashDays: 0.5,
    redirectMib: 16,
    quotaGib: "",
    userQuotaGib: 2,
    hosts: "a.test, b.test",
    asked: true,
  };
  expect(changeOf(before, now)).toEqual({
    hosts: ["a.test", "b.test"],
    authoriser: "endpoint",
    trash_seconds: 43_200,
    redirect_above: 16_777_216,
    quota_bytes: 0,
    user_quota_bytes: 2_147_483_648,
  });
});

it("what will change is said in words, in the order of the form", () => {
  const before = rulesOf(bucket);
  const now = { ...before, trashDays: "", quotaFiles: 5, versions: true, hosts: "" };
  expect(differences(before, now)).toEqual([
    { name: "Domains", from: "a.test", to: "none" },
    { name: "Keep versions", from: "off", to: "on" },
    { name: "Days in the trash", from: "7", to: "0" },
    { name: "Most files", from: "no limit", to: "5" },
  ]);
});
