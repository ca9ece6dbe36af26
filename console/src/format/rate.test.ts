import { describe, expect, it } from "vitest";
import { RateMeter } from "./rate";

describe("RateMeter", () => {
  it("says nothing before there is anything to say", () => {
    const meter = new RateMeter();
    expect(meter.rate(0)).toBeNull();
    meter.add(500, 0);
    expect(meter.rate(100)).toBeNull();
    expect(meter.timeLeft(1000, 100)).toBeNull();
  });

  it("measures a steady flow and the time it still takes", () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 4; second += 1) meter.add(second * 1000, second * 1000);
    expect(meter.rate(4000)).toBeCloseTo(1000);
    expect(meter.timeLeft(10_000, 4000)).toBeCloseTo(6000);
  });

  it("forgets what is older than its window", () => {
    const meter = new RateMeter();
    for (let second = 0; second <= 20; second += 1) meter.add(second * 1_000_000, second * 1000);
    for (let second = 21; second <= 40; second += 1) {
      meter.add(20_000_000 + (second - 20) * 10, second * 1000);
    }
    expect(meter.rate(40_000)).toBeCloseTo(10);
  });

  it("falls to nothing while nothing moves, and says for how long", () => {
    const meter = new RateMeter();
    meter.add(0, 0);
    meter.add(1000, 1000);
    expect(meter.stalledFor(2000)).toBeNull();
    expect(meter.stalledFor(5500)).toBe(4500);
    expect(meter.rate(7000)).toBe(0);
    expect(meter.timeLeft(2000, 7000)).toBeNull();
  });

  it("starts over when the count goes back", () => {
    const meter = new RateMeter();
    meter.add(9000, 0);
    meter.add(0, 1000);
    meter.add(500, 2000);
    expect(meter.rate(2000)).toBeCloseTo(500);
  });

  it("has no time left to tell without a total", () => {
    const meter = new RateMeter();
    meter.add(0, 0);
    meter.add(500, 1000);
    expect(meter.timeLeft(null, 1000)).toBeNull();
  });
});
