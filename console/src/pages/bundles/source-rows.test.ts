import { describe, expect, it } from "vitest";
import type { LiveLine } from "../../api/live";
import { SourceRows } from "./source-rows";

let seq = 0;
const line = (data: unknown): LiveLine => ({
  seq: ++seq,
  time: 0,
  stream: "stdout",
  text: "",
  data,
});

describe("SourceRows", () => {
  it("starts with everything queued", () => {
    const rows = new SourceRows(2);
    expect(rows.row(1)).toEqual({
      index: 1,
      url: null,
      path: null,
      state: "queued",
      bytes: 0,
      status: null,
      reason: null,
      transfer: null,
    });
    expect(rows.counts()).toMatchObject({ queued: 2, total: 2, bytes: 0 });
  });

  it("follows a source through its states", () => {
    const rows = new SourceRows(3);
    rows.fold([line({ source: 1, url: "http://a.test/x", state: "fetching", bytes: 100 })]);
    expect(rows.counts()).toMatchObject({ queued: 2, fetching: 1, bytes: 100 });
    rows.fold([line({ source: 1, state: "done", bytes: 250, path: "x.jpg", status: 200 })]);
    expect(rows.counts()).toMatchObject({ queued: 2, fetching: 0, done: 1, bytes: 250 });
    expect(rows.row(1)).toMatchObject({ url: "http://a.test/x", path: "x.jpg", status: 200 });
  });

  it("keeps the reason of a failure and drops it when a retry goes on", () => {
    const rows = new SourceRows(1);
    const reason = { code: "status", message: "The origin answered 404" };
    rows.fold([line({ source: 0, state: "failed", status: 404, reason })]);
    expect(rows.row(0)).toMatchObject({ state: "failed", status: 404, reason });
    rows.fold([line({ source: 0, state: "fetching" })]);
    expect(rows.row(0).reason).toBeNull();
  });

  it("shows what moves, and that it is underway until its end is known", () => {
    const rows = new SourceRows(3);
    rows.moving([{ index: 1, name: "http://a.test/1", done: 10, total: 50 }]);
    expect(rows.counts()).toMatchObject({ queued: 2, fetching: 1 });
    expect(rows.row(1)).toMatchObject({
      state: "fetching",
      url: "http://a.test/1",
      transfer: { done: 10, total: 50 },
    });
    rows.moving([{ index: 2, name: "http://a.test/2", done: 1 }]);
    expect(rows.row(1)).toMatchObject({ state: "fetching", transfer: null });
    expect(rows.row(2).transfer).toEqual({ done: 1, total: null });
    rows.fold([line({ source: 1, state: "done", bytes: 50 })]);
    expect(rows.counts()).toMatchObject({ queued: 1, fetching: 1, done: 1 });
    rows.moving(null);
    expect(rows.row(2)).toMatchObject({ state: "queued", transfer: null });
    expect(rows.counts()).toMatchObject({ queued: 2, fetching: 0, done: 1 });
  });

  it("believes the log over a late word of what moves", () => {
    const rows = new SourceRows(2);
    rows.moving([{ index: 0, name: "http://a.test/0", done: 10 }]);
    rows.fold([line({ source: 0, state: "done", bytes: 12 })]);
    rows.moving([
      { index: 0, name: "http://a.test/0", done: 10 },
      { index: 7, name: "http://a.test/7", done: 10 },
    ]);
    expect(rows.row(0)).toMatchObject({ state: "done", transfer: null });
    expect(rows.counts()).toMatchObject({ queued: 1, fetching: 0, done: 1, total: 2 });
  });

  it("starts over with each attempt, as a restarted server does", () => {
    const rows = new SourceRows(2);
    const start = line({ attempt: 2, sources: 2 });
    const reason = { code: "status", message: "The origin answered 404" };
    rows.fold([start, line({ source: 0, url: "http://a.test/0", state: "done", bytes: 9 })]);
    rows.fold([line({ source: 1, state: "failed", status: 404, reason })]);
    expect(rows.fold([start])).toBe(true);
    expect(rows.counts()).toMatchObject({ queued: 2, done: 0, failed: 0, bytes: 0 });
    expect(rows.row(0)).toMatchObject({ state: "queued", bytes: 0, url: "http://a.test/0" });
    expect(rows.row(1)).toMatchObject({ state: "queued", status: null, reason: null });
  });

  it("still shows what moves when the log is read from its start afterwards", () => {
    const rows = new SourceRows(3);
    rows.moving([{ index: 2, name: "c", done: 5 }]);
    rows.fold([line({ attempt: 1, sources: 3 }), line({ source: 0, state: "done", bytes: 1 })]);
    expect(rows.counts()).toMatchObject({ queued: 1, fetching: 1, done: 1 });
  });

  it("counts a refused source among the failed", () => {
    const rows = new SourceRows(2);
    rows.fold([line({ source: 1, state: "refused", reason: { code: "private", message: "no" } })]);
    expect(rows.counts().failed).toBe(1);
    expect(rows.indexes("failed")).toEqual([1]);
    expect(rows.indexes("all")).toBeNull();
  });

  it("is not disturbed by other lines, or by nonsense", () => {
    const rows = new SourceRows(1);
    const nonsense = [
      undefined,
      7,
      "x",
      {},
      { source: -1, state: "done" },
      { source: 1e9, state: "done" },
      { attempt: "first" },
    ];
    expect(rows.fold(nonsense.map(line))).toBe(false);
    const words: LiveLine = { seq: 1, time: 0, stream: "system", text: "Fetching 2 sources." };
    expect(rows.fold([words])).toBe(false);
    expect(rows.counts()).toMatchObject({ queued: 1, total: 1 });
  });

  it("grows when the log knows more sources than it was told of", () => {
    const rows = new SourceRows(0);
    rows.fold([line({ source: 4, state: "done", bytes: 5 })]);
    expect(rows.counts()).toEqual({
      queued: 4,
      fetching: 0,
      done: 1,
      failed: 0,
      total: 5,
      bytes: 5,
    });
  });

  it("folds the whole log of a hundred thousand sources quickly", () => {
    const rows = new SourceRows(100_000);
    const lines: LiveLine[] = [];
    for (let source = 0; source < 100_000; source += 1) {
      lines.push(line({ source, url: `http://a.test/${source}`, state: "fetching" }));
      lines.push(line({ source, state: "done", bytes: 10 }));
    }
    expect(rows.fold(lines)).toBe(true);
    expect(rows.counts()).toMatchObject({ done: 100_000, bytes: 1_000_000 });
  });
});
