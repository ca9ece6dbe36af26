import { describe, expect, it } from "vitest";
import type { Delivery, Pass, SyncRule } from "../../api/types";
import {
  daysOf,
  endOf,
  endWords,
  filesWords,
  rateOf,
  ratesWords,
  seriesOf,
  tallyWords,
} from "./passes";
import { readSyncSearch } from "./shown";
import {
  nextStep,
  placeWords,
  planWords,
  reportWords,
  scheduleWords,
  toGo,
  wayWords,
  whenWords,
} from "./sync-words";

const rule: SyncRule = {
  source: { kind: "bucket", bucket: "films" },
  targets: [
    {
      name: "images",
      when: { types: ["image/*"], min_size: null, max_size: 10_485_760, prefix: "" },
      to: { kind: "cloudflare_images", account: "a", token: "t" },
    },
    { name: "rest", to: { kind: "webhook", url: "https://example.org/told" } },
  ],
};

describe("a sync in words", () => {
  it("says from where to where, and when", () => {
    expect(wayWords(rule)).toBe("the bucket films → Cloudflare Images and 1 more");
    expect(scheduleWords(rule)).toBe("when a file comes");
    expect(scheduleWords({ ...rule, schedule: "*/10 * * * *" })).toBe("*/10 * * * * (UTC)");
    expect(whenWords(rule.targets[0]?.when)).toBe("image/*, at most 10.0 MiB");
    expect(whenWords(undefined)).toBe("everything else");
  });

  it("says how many files of a dry run go where", () => {
    const file = { item: "1", name: "a", type: "image/png", size: 1, target: null, skipped: null };
    const films = { ...file, target: "films" };
    const files = [films, { ...file, target: "rest" }, films, file, { ...file, skipped: "no" }];
    const plan = { files, deliver: 4, skip: 1, known: 0, more: false };
    expect(planWords(plan)).toBe("2 to films, 1 to rest, 1 where their size belongs.");
    expect(planWords({ ...plan, deliver: 1000 })).toMatch(/^Of the first 5: 2 to films/);
    expect(planWords({ ...plan, files: [] })).toBeNull();
    const nameless = { ...file, type: "" };
    expect(planWords({ ...plan, files: [nameless], deliver: 1, skip: 0 })).toBe(
      "1 once their type is looked at.",
    );
    expect([films, file, nameless, { ...file, skipped: "no" }].map(placeWords)).toEqual([
      "to films",
      "where its size belongs",
      "looked at first, since its name does not tell its type",
      "no",
    ]);
  });

  it("says who is told of passes", () => {
    expect(reportWords(rule)).toBe("nobody");
    const report = { url: "https://a.example/hook", email: ["anna@a.example"] };
    expect(reportWords({ ...rule, report })).toBe("https://a.example/hook, anna@a.example");
  });

  it("counts what has not come to an end", () => {
    expect(toGo({ pending: 3, working: 1, marked: 10, failed: 2, skipped: 4 })).toBe(4);
  });
});

describe("a delivery's next step", () => {
  const now = Date.parse("2026-11-26T12:00:00Z");
  const delivery = { state: "pending", claimed: false, next_at: null, failures: 0 };
  const next = (change: object) => nextStep({ ...delivery, ...change } as Delivery, now);
  it("is what comes, and when", () => {
    expect(next({ claimed: true })).toBe("somebody works on it now");
    expect(next({ state: "failed" })).toBe("waits for somebody to retry it");
    expect(next({ state: "marked" })).toBeNull();
    expect(next({ next_at: "2026-11-26T11:59:00Z" })).toBe("taken up by the next pass");
    expect(next({ next_at: "2026-11-26T12:03:00Z", failures: 2 })).toBe("tried again in 3 min");
    expect(next({ next_at: "2026-11-26T12:03:00Z", state: "working" })).toBe("looked at in 3 min");
  });
});

describe("passes", () => {
  const none = { delivered: 0, working: 0, skipped: 0, failed: 0, retried: 0, removed: 0 };
  it("tell only what happened", () => {
    expect(tallyWords(none)).toBe("nothing to do");
    expect(tallyWords({ ...none, delivered: 1200, failed: 1 })).toBe("1,200 delivered, 1 failed");
  });
  const pass: Pass = {
    id: "1",
    started_at: "2026-11-26T09:50:00Z",
    ended_at: "2026-11-26T09:50:10Z",
    state: "done",
    failure: null,
    ...none,
    bytes: 0,
  };
  it("tell how fast they went where they sent something", () => {
    expect(rateOf({ ...pass, bytes: 2048 })).toBe(204.8);
    expect(rateOf(pass)).toBeNull();
    expect(rateOf({ ...pass, bytes: 1, ended_at: null })).toBeNull();
    expect(rateOf({ ...pass, bytes: 1, ended_at: "2026-11-26T09:50:00Z" })).toBeNull();
  });
  it("are charted as time goes, what failed at the foot of what ended", () => {
    const older = { ...pass, id: "0", delivered: 5, failed: 2, bytes: 2048 };
    const series = seriesOf([pass, older]);
    expect(series.passes.map(({ id }) => id)).toEqual(["0", "1"]);
    expect(series.ended).toEqual([7, 0]);
    expect(series.failed).toEqual([2, 0]);
    expect(series.rates).toEqual([204.8, null]);
    expect(filesWords(series)).toBe("Files of 2 passes: 5 delivered, 2 failed");
    expect(ratesWords(series)).toBe("Throughput of 2 passes: at most 205 B/s");
    expect(ratesWords(seriesOf([pass]))).toBe("Throughput of 1 pass: nothing was sent");
  });
  it("say how they ended, and what they did", () => {
    const told = (change: Partial<Pass>) => {
      const changed = { ...pass, ...change };
      return [endOf(changed), endWords(changed)];
    };
    const open = { ended_at: null };
    expect(told({ ...open, state: "running" })).toEqual(["running", "nothing done yet"]);
    expect(told({ ...open, state: "running", delivered: 1 })).toEqual(["running", "1 delivered"]);
    expect(told({ ...open, state: "cut" })).toEqual(["cut", "cut off"]);
    expect(told({ ...open, state: "cut", delivered: 3 })).toEqual(["cut", "cut off; 3 delivered"]);
    const broken = { state: "failed", failure: "the token is none" } as const;
    expect(told(broken)).toEqual(["broken", "failed as a whole"]);
    expect(told({ ...broken, skipped: 1 })).toEqual(["broken", "failed as a whole; 1 skipped"]);
    const words = "1 delivered, 1 failed";
    expect(told({ failed: 1, delivered: 1 })).toEqual(["failed", words]);
    expect(told({ skipped: 1 })).toEqual(["done", "1 skipped"]);
    expect(told({})).toEqual(["nothing", "nothing to do"]);
  });
  it("are listed by the days of the reader", () => {
    const at = (started_at: string) => ({ ...pass, started_at });
    const passes = ["2026-11-26T12:00:00", "2026-11-26T11:00:00", "2026-11-25T12:00:00"].map(at);
    const days = daysOf(passes, Date.parse("2026-11-27T00:00:00"));
    expect(days.map(({ name, passes }) => [name, passes.length])).toEqual([
      ["26 Nov", 2],
      ["25 Nov", 1],
    ]);
  });
});

describe("a sync's address", () => {
  it("keeps what it understands", () => {
    expect(readSyncSearch({ tab: "passes", state: "failed", q: 7, target: " ", x: 1 })).toEqual({
      tab: "passes",
      state: "failed",
      q: "7",
    });
    expect(readSyncSearch({ tab: "rule", edit: true, type: "image/*" })).toEqual({
      tab: "rule",
      edit: true,
      type: "image/*",
    });
    expect(readSyncSearch({ tab: "passes", edit: true })).toEqual({ tab: "passes" });
    expect(readSyncSearch({ tab: "files", state: "done" })).toEqual({});
  });
});
