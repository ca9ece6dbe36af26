// The choices of a bundle, and how they are asked for.
import type { BundleRequest } from "../../api/types";

export const DAY = 86_400;

export interface OptionValues {
  name: string;
  order: "arrival" | "source";
  compress: "auto" | "never";
  expiresIn: string;
  strict: boolean;
}

export const START_OPTIONS: OptionValues = {
  name: "",
  order: "arrival",
  compress: "auto",
  expiresIn: String(7 * DAY),
  strict: false,
};

export function areChanged(options: OptionValues): boolean {
  return OPTION_NAMES.some((name) => options[name] !== START_OPTIONS[name]);
}

const OPTION_NAMES = Object.keys(START_OPTIONS) as Array<keyof OptionValues>;

export function toRequest(urls: string[], values: OptionValues): BundleRequest {
  const name = values.name.trim();
  return {
    ...(name ? { name } : {}),
    sources: urls,
    options: {
      keep: true,
      exact_length: false,
      order: values.order,
      compress: values.compress,
      strict: values.strict,
      expires_in: Number(values.expiresIn),
    },
  };
}
