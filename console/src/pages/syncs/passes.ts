// Passes in words, by days, and as the numbers of charts.
import type { Pass, Tally } from "../../api/types";
import { bytesPerSecond, count } from "../../format/numbers";
import { dateOnly, fullTime } from "../../format/times";

const NOTHING = "nothing to do";

/** "12 delivered, 1 failed": only what happened. */
export function tallyWords(tally: Omit<Tally, "bytes">): string {
  const { delivered, working, skipped, failed, retried, removed } = tally;
  const words = [
    [delivered, "delivered"],
    [working, "not ready yet"],
    [failed, "failed"],
    [skipped, "skipped"],
    [removed, "removed"],
    [retried, "tried again"],
  ] as const;
  const happened = words.filter(([number]) => number > 0);
  if (happened.length === 0) return NOTHING;
  return happened.map(([number, word]) => `${count(number)} ${word}`).join(", ");
}

/** Bytes a second; null while it runs, where it was cut off, and where nothing was sent. */
export function rateOf({ started_at, ended_at, bytes }: Pass): number | null {
  if (!ended_at || bytes === 0) return null;
  const seconds = (Date.parse(ended_at) - Date.parse(started_at)) / 1000;
  return seconds > 0 ? bytes / seconds : null;
}

/** What a pass was, in a line: what is said below a chart of the one that is pointed at. */
export function passWords(pass: Pass): string {
  const rate = rateOf(pass);
  const speed = rate === null ? "" : `, ${bytesPerSecond(rate)}`;
  return `${fullTime(pass.started_at)}: ${endWords(pass)}${speed}`;
}

/** What a pass did, and whether that is all of it: "cut off; 3 delivered". */
export function endWords(pass: Pass): string {
  const did = tallyWords(pass);
  const end = endOf(pass);
  if (end === "running") return did === NOTHING ? "nothing done yet" : did;
  if (end !== "cut" && end !== "broken") return did;
  const how = end === "cut" ? "cut off" : "failed as a whole";
  return did === NOTHING ? how : `${how}; ${did}`;
}

export interface PassSeries {
  /** The oldest first, as time goes. */
  passes: Pass[];
  places: number[];
  /** Files that came to an end: the failed ones lie at the foot of them. */
  ended: number[];
  failed: number[];
  rates: (number | null)[];
}

/** `newestFirst`, as the server lists them. */
export function seriesOf(newestFirst: readonly Pass[]): PassSeries {
  const passes = [...newestFirst].reverse();
  return {
    passes,
    places: passes.map((_, place) => place),
    ended: passes.map(({ delivered, failed }) => delivered + failed),
    failed: passes.map(({ failed }) => failed),
    rates: passes.map(rateOf),
  };
}

/** What a chart of files says to who does not see it. */
export function filesWords({ passes }: PassSeries): string {
  const sum = (part: "delivered" | "failed") =>
    passes.reduce((total, pass) => total + pass[part], 0);
  return `Files of ${passesWords(passes)}: ${count(sum("delivered"))} delivered, ${count(sum("failed"))} failed`;
}

/** The same of a chart of rates. */
export function ratesWords({ passes, rates }: PassSeries): string {
  const known = rates.filter((rate) => rate !== null);
  const most =
    known.length === 0 ? "nothing was sent" : `at most ${bytesPerSecond(Math.max(...known))}`;
  return `Throughput of ${passesWords(passes)}: ${most}`;
}

function passesWords(passes: readonly Pass[]): string {
  return passes.length === 1 ? "1 pass" : `${count(passes.length)} passes`;
}

export interface Day {
  name: string;
  passes: Pass[];
}

/** Passes by the days of the reader, in the order given. */
export function daysOf(passes: readonly Pass[], now: number): Day[] {
  const days: Day[] = [];
  for (const pass of passes) {
    const name = dateOnly(pass.started_at, now);
    const last = days.at(-1);
    if (last?.name === name) last.passes.push(pass);
    else days.push({ name, passes: [pass] });
  }
  return days;
}

/** How a pass went, in a word; "broken" is one that failed as a whole. */
export type PassEnd = "running" | "cut" | "broken" | "failed" | "done" | "nothing";

export function endOf(pass: Pass): PassEnd {
  if (pass.state === "failed") return "broken";
  if (pass.state !== "done") return pass.state;
  if (pass.failed > 0) return "failed";
  return tallyWords(pass) === NOTHING ? "nothing" : "done";
}
