import { describe, expect, it } from "vitest";
import { ProblemError } from "../../api/problem";
import type { SyncRule } from "../../api/types";
import { checkRule, fieldErrors, ruleDifferences } from "./rule-checks";
import { metadataIn, metadataText, sizeIn, sizeText, wordsIn } from "./rule-texts";
import { newTarget, startValues, toRule, valuesOf } from "./rule-values";

const store = {
  endpoint: "https://fra1.example.com",
  region: "fra1",
  bucket: "media",
  prefix: "in/",
  path_style: false,
  access_key: "AK",
  secret: "spaces-key",
};
const when = { types: [], min_size: null, max_size: null, prefix: "", metadata: {} };

/** A rule in which everything is said, as the server writes it. */
const WHOLE: SyncRule = {
  source: {
    kind: "rows",
    database: "their-database",
    table: {
      schema: "app",
      table: "File",
      columns: {
        id: "uid",
        name: "fileName",
        type: "fileType",
        path: "path",
        copied: "copied",
        remote_id: "",
        status: "status",
        thumbnail: "",
        creator: "uploadedBy",
        metadata: ["album name", "dateTaken"],
      },
      statuses: { ready: "served", pending: "waits" },
    },
    store,
    key_prefix: "",
  },
  targets: [
    {
      name: "small",
      when: {
        types: ["image/*", "image/heic"],
        min_size: 1,
        max_size: 10_000_000,
        prefix: "covers/",
        metadata: { album: "blue", year: 2026, seven: "7" } as unknown as Record<string, never>,
      },
      to: {
        kind: "cloudflare_images",
        account: "a",
        token: "cloudflare",
        id: "file/{id}",
        signed: true,
        creator: "us",
        avif: true,
        api: "https://api.example.com",
        batch: "https://batch.example.com",
      },
    },
    {
      name: "films",
      when: { ...when, types: ["video/*"] },
      to: {
        kind: "cloudflare_stream",
        account: "a",
        token: "cloudflare",
        id: null,
        signed: false,
        creator: null,
        api: null,
      },
    },
    { name: "kept", when, to: { kind: "store", store, key: "originals/{key}" } },
    { name: "here", when, to: { kind: "bucket", bucket: "files", key: "{key}/{name}" } },
    { name: "told", when, to: { kind: "webhook", url: "https://example.org/x", secret: null } },
  ],
  schedule: "0 3 * * *",
  zone: "Europe/Berlin",
  at_once: 16,
  attempts: 3,
  remove: true,
  report: {
    url: "https://example.org/hook",
    email: ["anna@example.org", "ben@example.org"],
    secret: "report-key",
    failures_only: true,
  },
};

describe("a rule's form", () => {
  it("loses nothing on the way there and back", () => {
    expect(toRule(valuesOf("a", WHOLE))).toEqual(WHOLE);
    const short: SyncRule = {
      source: { kind: "bucket", bucket: "files" },
      targets: [{ name: "all", to: { kind: "bucket", bucket: "other" } }],
    };
    expect(toRule(valuesOf("b", short))).toEqual({
      source: { kind: "bucket", bucket: "files", prefix: "" },
      targets: [{ name: "all", when, to: { kind: "bucket", bucket: "other", key: "{key}" } }],
      schedule: null,
      zone: "",
      at_once: null,
      attempts: null,
      remove: false,
      report: null,
    });
  });

  it("sends nothing of a kind that was chosen before another", () => {
    const values = valuesOf("a", WHOLE);
    values.source.kind = "store";
    expect(toRule(values).source).toEqual({ kind: "store", store });
  });

  it("asks for what the server could not tell by its field", () => {
    expect(checkRule(startValues())).toEqual({
      name: "Give a name",
      "source.bucket": "Choose a bucket",
      "targets.0.to.bucket": "Choose a bucket",
    });
    expect(checkRule(valuesOf("a", WHOLE))).toEqual({});
    const odd = newTarget("odd");
    odd.when = { ...odd.when, max_size: "a lot", metadata: "album" };
    odd.to = { ...odd.to, kind: "cloudflare_images" };
    expect(Object.keys(checkRule({ ...valuesOf("a", WHOLE), targets: [odd] }))).toEqual([
      "targets.0.when.max_size",
      "targets.0.when.metadata",
      "targets.0.to.token",
    ]);
  });

  it("shows what the server found at its field", () => {
    const at = (field: string) => ({ field, code: "invalid", message: "no" });
    const errors = ["targets[2].to.store.endpoint", "source.table", "schedule"].map(at);
    const problem = new ProblemError({ status: 422, code: "invalid", errors });
    expect(Object.keys(fieldErrors(problem, valuesOf("a", WHOLE)))).toEqual([
      "targets.2.to.store.endpoint",
      "source.table.table",
      "schedule",
    ]);
  });

  it("shows what is wrong below a field at that field, and with what of it", () => {
    const errors = [
      { field: "rule.targets[0].to.token", code: "no-secret", message: "it is not kept" },
      { field: "rule.source.store.secret.name", code: "no-secret", message: "nor this" },
      { field: "report.email[1]", code: "invalid", message: "no address" },
      { field: "report.email[0]", code: "invalid", message: "nor this one" },
      { field: "targets[0].when.metadata.album", code: "invalid", message: "odd" },
      { field: "targets[99].name", code: "invalid", message: "far off" },
    ];
    const problem = new ProblemError({ status: 422, code: "invalid", errors });
    expect(fieldErrors(problem, valuesOf("a", WHOLE))).toEqual({
      "targets.0.to.token": "it is not kept",
      "source.store.secret": "nor this",
      "report.email": "ben@example.org: no address; anna@example.org: nor this one",
      "targets.0.when.metadata": "album: odd",
      "targets.99.name": "far off",
    });
  });

  it("says what saving would change, part by part", () => {
    const values = valuesOf("a", WHOLE);
    values.schedule = "";
    const [small] = values.targets;
    if (small) small.when.types = "image/png";
    expect(ruleDifferences(WHOLE, toRule(values))).toEqual([
      { name: "targets[0].when.types", from: "image/*, image/heic", to: "image/png" },
      { name: "schedule", from: "0 3 * * *", to: "nothing" },
      { name: "zone", from: "Europe/Berlin", to: "nothing" },
    ]);
    expect(ruleDifferences(WHOLE, WHOLE)).toEqual([]);
  });
});

describe("texts of a rule's form", () => {
  it("say sizes exactly", () => {
    for (const bytes of [0, 1, 999, 1000, 1536, 10_000_000, 10_485_760, 3 * 1024 ** 3]) {
      expect(sizeIn(sizeText(bytes)), String(bytes)).toBe(bytes);
    }
    expect(sizeText(10_000_000)).toBe("10 MB");
    expect(sizeText(null)).toBe("");
    expect(sizeIn(" 1.5gib ")).toBe(1_610_612_736);
    expect(sizeIn("")).toBeNull();
    for (const none of ["ten", "-1", "1 XB", "1e9", "9999999999 GB"]) {
      expect(sizeIn(none), none).toBeUndefined();
    }
  });

  it("keep what kind of a value metadata have", () => {
    const texts = {
      a: "text",
      c: "7",
      e: "true",
      g: "x = y",
      h: "",
      i: " two\nlines ",
      "j = k": "l",
    };
    const metadata = { ...texts, b: 7, d: true, f: null, m: ["n"] };
    expect(metadataIn(metadataText(metadata))).toEqual(metadata);
    expect(metadataIn("\n a=b \n")).toEqual({ a: "b" });
    expect(metadataIn("= b")).toBeUndefined();
  });

  it("take lists with commas, spaces and lines", () => {
    expect(wordsIn(" image/*,video/mp4\n text/plain ")).toEqual([
      "image/*",
      "video/mp4",
      "text/plain",
    ]);
  });
});
