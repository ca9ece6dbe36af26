// What the parts of a rule's form share.
import type { UseFormReturnType } from "@mantine/form";
import type { SyncValues } from "./rule-values";

export type RuleForm = UseFormReturnType<SyncValues>;

/** A field for names and addresses, which nobody corrects. */
export const CODE = { autoCapitalize: "none", autoComplete: "off", spellCheck: false } as const;

/** Whether something is wrong at one of these paths, or below. */
export function hasErrors({ errors }: RuleForm, ...paths: string[]): boolean {
  return Object.keys(errors).some((at) =>
    paths.some((path) => at === path || at.startsWith(`${path}.`)),
  );
}
