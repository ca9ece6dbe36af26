// Times and spans in words. Relative where a reader scans, full where they look.

const full = new Intl.DateTimeFormat("en-GB", {
  dateStyle: "medium",
  timeStyle: "medium",
});
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayAndYear = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
});
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function fullTime(time: string): string {
  return full.format(new Date(time));
}

/** "4 s ago", "12 min ago", "3 h ago", "2 d ago", then the date. */
export function ago(time: string, now: number): string {
  const then = Date.parse(time);
  const past = now - then;
  if (past < 2 * SECOND) return "now";
  if (past < MINUTE) return `${Math.floor(past / SECOND)} s ago`;
  if (past < HOUR) return `${Math.floor(past / MINUTE)} min ago`;
  if (past < DAY) return `${Math.floor(past / HOUR)} h ago`;
  if (past < 7 * DAY) return `${Math.floor(past / DAY)} d ago`;
  return dateOnly(time, now);
}

/** "in 7 d", "in 3 h", or "expired" for what lies behind. */
export function until(time: string, now: number): string {
  const left = Date.parse(time) - now;
  if (left <= 0) return "expired";
  if (left < MINUTE) return "in less than a minute";
  if (left < HOUR) return `in ${Math.floor(left / MINUTE)} min`;
  if (left < 2 * DAY) return `in ${Math.floor(left / HOUR)} h`;
  return `in ${Math.round(left / DAY)} d`;
}

export function dateOnly(time: string, now: number): string {
  const date = new Date(time);
  const thisYear = date.getFullYear() === new Date(now).getFullYear();
  return (thisYear ? day : dayAndYear).format(date);
}

/** "40 ms", "0.4 s", "12 s", "3 min 5 s", "2 h 7 min", "4 d 3 h". */
export function span(milliseconds: number): string {
  const past = Math.max(0, milliseconds);
  if (past < SECOND / 10) return `${Math.round(past)} ms`;
  if (past < 10 * SECOND) return `${(past / SECOND).toFixed(1)} s`;
  if (past < MINUTE) return `${Math.floor(past / SECOND)} s`;
  if (past < HOUR) return two(past, MINUTE, "min", SECOND, "s");
  if (past < DAY) return two(past, HOUR, "h", MINUTE, "min");
  return two(past, DAY, "d", HOUR, "h");
}

function two(past: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((past % big) / small);
  const head = `${Math.floor(past / big)} ${bigName}`;
  return rest === 0 ? head : `${head} ${rest} ${smallName}`;
}

/** Time left, rounded the way a person would say it. */
export function aboutLeft(milliseconds: number): string {
  if (milliseconds < 5 * SECOND) return "a few seconds left";
  if (milliseconds < MINUTE) return `about ${Math.ceil(milliseconds / (5 * SECOND)) * 5} s left`;
  if (milliseconds < HOUR) return `about ${Math.ceil(milliseconds / MINUTE)} min left`;
  return `about ${two(milliseconds, HOUR, "h", MINUTE, "min")} left`;
}

/** The time of a log line: hours to milliseconds, in the reader's zone. */
export function clockTime(microseconds: number): string {
  const date = new Date(microseconds / 1000);
  const pad = (value: number, width = 2) => String(value).padStart(width, "0");
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}
