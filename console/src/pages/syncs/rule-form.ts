// What the parts of a rule's form share.
import type { __InputWrapperProps } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import type { SyncValues } from "./rule-values";

type InputWrapperOrder = NonNullable<__InputWrapperProps["inputWrapperOrder"]>;

export type RuleForm = UseFormReturnType<SyncValues>;

/** What is said of a field stands below it, so that those of a line begin at one height. */
export const FIELD: { inputWrapperOrder: InputWrapperOrder } = {
  inputWrapperOrder: ["label", "input", "description", "error"],
};

/** A field for names and addresses, which nobody corrects. */
export const CODE = {
  ...FIELD,
  autoCapitalize: "none",
  autoComplete: "off",
  spellCheck: false,
} as const;

/** Whether something is wrong at one of these paths, or below. */
export function hasErrors({ errors }: RuleForm, ...paths: string[]): boolean {
  return Object.keys(errors).some((at) =>
    paths.some((path) => at === path || at.startsWith(`${path}.`)),
  );
}
