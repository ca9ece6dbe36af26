// What is wrong with a rule's form before the server is asked, at which field the server's
// answer belongs, and what saving would change.
import type { ProblemError } from "../../api/problem";
import type { SyncRule } from "../../api/types";
import { nameProblem } from "../settings/names";
import { metadataIn, namesIn, sizeIn } from "./rule-texts";
import type { SyncValues } from "./rule-values";

type Errors = Record<string, string>;

/** The longest name of a sync: its schedule has it, with a few letters more. */
const MOST_NAME = 58;

/** Only what the server cannot tell by its field: it checks everything else. */
export function checkRule(values: SyncValues): Errors {
  const errors: Errors = {};
  const name = nameProblem(values.name);
  if (name) errors.name = name;
  else if (values.name.trim().length > MOST_NAME) errors.name = `At most ${MOST_NAME} characters`;
  const { source } = values;
  const secret = (path: string, chosen: string | null) => {
    if (!chosen) errors[path] = "Choose the secret that holds it";
  };
  if (source.kind === "bucket" && !source.bucket) errors["source.bucket"] = "Choose a bucket";
  if (source.kind === "rows") secret("source.database", source.database);
  if (source.kind !== "bucket") secret("source.store.secret", source.store.secret);
  values.targets.forEach(({ when, to }, index) => {
    const at = `targets.${index}`;
    for (const bound of ["min_size", "max_size"] as const) {
      if (sizeIn(when[bound]) === undefined) {
        errors[`${at}.when.${bound}`] = "Write a size such as 10 MB, 1.5 GiB or 500";
      }
    }
    if (metadataIn(when.metadata) === undefined) {
      errors[`${at}.when.metadata`] = "Write name = value, a line for each";
    }
    if (to.kind === "bucket" && !to.bucket) errors[`${at}.to.bucket`] = "Choose a bucket";
    if (to.kind === "store") secret(`${at}.to.store.secret`, to.store.secret);
    if (to.kind === "cloudflare_images" || to.kind === "cloudflare_stream") {
      secret(`${at}.to.token`, to.token);
    }
  });
  return errors;
}

/** What the server found, each at the path of its field in the form. */
export function fieldErrors({ fields }: ProblemError, values: SyncValues): Errors {
  const errors: Errors = {};
  for (const { field, message } of fields) {
    const { path, part } = fieldFor(field, values);
    const said = part === undefined ? message : `${part}: ${message}`;
    errors[path] = errors[path] === undefined ? said : `${errors[path]}; ${said}`;
  }
  return errors;
}

/** What a part of the rule is said by where it has no field of its own. */
const SAID_BY: Record<string, string> = {
  "source.table": "source.table.table",
  report: "report.url",
};

/**
 * The field of what the server names: "targets[0].to.key" is "targets.0.to.key" there. What
 * lies deeper than a field, such as "report.email[1]", is a part of what is written in it.
 */
function fieldFor(named: string, values: SyncValues): { path: string; part?: string } {
  const steps = named
    .replace(/^rule\./, "")
    .replace(/\[(\d+)\]/g, ".$1")
    .split(".");
  let value: unknown = values;
  const path: string[] = [];
  for (const step of steps) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) break;
    value = (value as Record<string, unknown>)[step];
    path.push(step);
  }
  const found = path.join(".");
  if (typeof value === "object" && value !== null) {
    return { path: SAID_BY[found] ?? steps.join(".") };
  }
  const part = typeof value === "string" ? partOf(value, found, steps[path.length]) : undefined;
  return { path: found, ...(part === undefined ? {} : { part }) };
}

/** What is meant of a list in one field, by its number there; of metadata by its name. */
function partOf(written: string, field: string, step?: string): string | undefined {
  if (step === undefined) return undefined;
  if (/^\d+$/.test(step)) return namesIn(written)[Number(step)];
  return field.endsWith(".metadata") ? step : undefined;
}

export interface Difference {
  name: string;
  from: string;
  to: string;
}

/** What is said otherwise in another rule, part by part. */
export function ruleDifferences(before: SyncRule, now: SyncRule): Difference[] {
  const [was, is] = [partsOf(before), partsOf(now)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name) => {
    const [from = "nothing", to = "nothing"] = [was.get(name), is.get(name)];
    return from === to ? [] : [{ name, from, to }];
  });
}

function partsOf(value: unknown, path = "", parts = new Map<string, string>()) {
  if (value === null || value === undefined || value === "") return parts;
  if (Array.isArray(value) && !value.some((each) => typeof each === "object")) {
    if (value.length > 0) parts.set(path, value.join(", "));
  } else if (Array.isArray(value)) {
    value.forEach((each, index) => {
      partsOf(each, `${path}[${index}]`, parts);
    });
  } else if (typeof value === "object") {
    for (const [name, part] of Object.entries(value)) {
      partsOf(part, path ? `${path}.${name}` : name, parts);
    }
  } else {
    parts.set(path, value === true ? "yes" : value === false ? "no" : String(value));
  }
  return parts;
}
