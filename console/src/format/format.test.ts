import { describe, expect, it } from "vitest";
import { amount, bytes, counted, percent } from "./numbers";
import { paceWords, progressWords } from "./progress";
import { aboutLeft, ago, span, until } from "./times";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const at = (milliseconds: number) => new Date(NOW + milliseconds).toISOString();

describe("numbers", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [15_360, "15.0 KiB"],
    [209_715_200, "200 MiB"],
    [1_395_864_371, "1.30 GiB"],
  ])("%d bytes read as %s", (value, words) => {
    expect(bytes(value)).toBe(words);
  });

  it("counts one and many", () => {
    expect(counted(1, "file")).toBe("1 file");
    expect(counted(12_345, "file")).toBe("12,345 files");
    expect(amount(3, "sources")).toBe("3 sources");
    expect(amount(2048, "bytes")).toBe("2.00 KiB");
  });

  it("keeps shares within the whole", () => {
    expect(percent(1, null)).toBeNull();
    expect(percent(5, 0)).toBeNull();
    expect(percent(30, 20)).toBe(100);
    expect(percent(1, 4)).toBe(25);
  });
});

describe("progress", () => {
  const progress = { done: 12, total: 1000, unit: "files", message: null };

  it("says how much is done of what is known", () => {
    expect(progressWords(progress)).toBe("12 of 1,000 files");
    expect(progressWords({ ...progress, total_grows: true })).toBe("12 of at least 1,000 files");
    expect(progressWords({ ...progress, message: "Fetching" })).toBe("12 of 1,000 files, Fetching");
  });

  it("says how fast it goes and what is left, as far as that is known", () => {
    expect(paceWords(progress)).toBe("12 of 1,000 files");
    const moving = { ...progress, bytes_per_second: 2048, seconds_left: 90 };
    expect(paceWords(moving)).toBe("12 of 1,000 files, 2.00 KiB/s, about 2 min left");
    const growing = { ...moving, total_grows: true, seconds_left: null };
    expect(paceWords(growing)).toBe("12 of at least 1,000 files, 2.00 KiB/s");
  });
});

describe("times", () => {
  it.each([
    [-500, "now"],
    [-5_000, "5 s ago"],
    [-3 * 60_000, "3 min ago"],
    [-5 * 3_600_000, "5 h ago"],
    [-3 * 86_400_000, "3 d ago"],
  ])("%d ms is %s", (milliseconds, words) => {
    expect(ago(at(milliseconds), NOW)).toBe(words);
  });

  it.each([
    [7.6, "8 ms"],
    [400, "0.4 s"],
    [12_900, "12 s"],
    [185_000, "3 min 5 s"],
    [7_620_000, "2 h 7 min"],
    [86_400_000, "1 d"],
  ])("a span of %d ms is %s", (milliseconds, words) => {
    expect(span(milliseconds)).toBe(words);
  });

  it("tells what is left", () => {
    expect(aboutLeft(1_000)).toBe("a few seconds left");
    expect(aboutLeft(42_000)).toBe("about 45 s left");
    expect(aboutLeft(130_000)).toBe("about 3 min left");
    expect(until(at(7 * 86_400_000), NOW)).toBe("in 7 d");
    expect(until(at(-1), NOW)).toBe("expired");
  });
});
