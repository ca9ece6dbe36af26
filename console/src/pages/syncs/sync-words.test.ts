import { describe, expect, it } from "vitest";
import type { Delivery, SyncRule } from "../../api/types";
import { heights, tallyWords } from "./passes";
import { readSyncSearch } from "./shown";
import { nextStep, reportWords, scheduleWords, toGo, wayWords, whenWords } from "./sync-words";

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
  it("are bars in which little is seen, too", () => {
    expect(heights({ delivered: 0, failed: 0 }, 100)).toEqual({ done: 2, bad: 0 });
    expect(heights({ delivered: 1, failed: 0 }, 1000)).toEqual({ done: 4, bad: 0 });
    const both = heights({ delivered: 990, failed: 10 }, 1000);
    expect(both.done + both.bad).toBeLessThanOrEqual(100);
  });
});

describe("a sync's address", () => {
  it("keeps what it understands", () => {
    expect(readSyncSearch({ tab: "passes", state: "failed", q: 7, target: " ", x: 1 })).toEqual({
      tab: "passes",
      state: "failed",
      q: "7",
    });
    expect(readSyncSearch({ tab: "files", state: "done" })).toEqual({});
  });
});
