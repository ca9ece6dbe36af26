// What a form says of a schedule, and what is sent of it.
import type { Missed, Schedule, SchedulePatch, ScheduleRequest } from "../../api/types";
import { nameProblem } from "./names";

export interface ScheduleValues {
  name: string;
  kind: string;
  title: string;
  /** As JSON. */
  input: string;
  cron: string;
  zone: string;
  missed: Missed;
}

export function startValues(zone: string): ScheduleValues {
  const cron = "0 3 * * *";
  return { name: "", kind: "", title: "", input: "{}", cron, zone, missed: "run_once" };
}

export function valuesOf(schedule: Schedule): ScheduleValues {
  const { name, kind, title, cron, zone, missed, input } = schedule;
  return { name, kind, title, cron, zone, missed, input: JSON.stringify(input, null, 2) };
}

export const scheduleRules = {
  name: nameProblem,
  kind: (kind: string) => (kind === "" ? "Choose what it starts" : null),
  cron: (cron: string) => (cron.trim() === "" ? "Say when it runs" : null),
  input: (input: string) => (readInput(input) === null ? "This is no JSON object" : null),
};

function readInput(text: string): Record<string, never> | null {
  try {
    const value: unknown = JSON.parse(text);
    const object = typeof value === "object" && value !== null && !Array.isArray(value);
    return object ? (value as Record<string, never>) : null;
  } catch {
    return null;
  }
}

export function toScheduleRequest(values: ScheduleValues): ScheduleRequest {
  const { name, kind, title, cron, zone, missed } = values;
  const words = title.trim();
  return {
    name: name.trim(),
    kind,
    ...(words ? { title: words } : {}),
    input: readInput(values.input) ?? {},
    cron: cron.trim(),
    zone,
    missed,
  };
}

/** Only what was changed; a zone goes together with its expression. */
export function toSchedulePatch(values: ScheduleValues, known: Schedule): SchedulePatch {
  const cron = values.cron.trim();
  const timing = cron !== known.cron || values.zone !== known.zone;
  const input = readInput(values.input) ?? {};
  return {
    ...(timing ? { cron, zone: values.zone } : {}),
    ...(values.missed === known.missed ? {} : { missed: values.missed }),
    ...(JSON.stringify(input) === JSON.stringify(known.input) ? {} : { input }),
  };
}
