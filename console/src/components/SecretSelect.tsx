// A secret, chosen by its name: values are never typed into what refers to them.
import { Select, type SelectProps } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { secretList } from "../api/settings";
import { TextLink } from "./links";

interface SecretSelectProps extends Omit<SelectProps, "data" | "description"> {
  /** What it holds. */
  about: string;
}

export function SecretSelect({ about, value, error, ...select }: SecretSelectProps) {
  const { data } = useQuery(secretList);
  const kept = data?.items.map(({ name }) => name) ?? [];
  const gone = Boolean(value) && data !== undefined && !kept.includes(String(value));
  return (
    <Select
      {...select}
      description={<About text={about} none={data !== undefined && kept.length === 0} />}
      placeholder={select.placeholder ?? "Choose a secret"}
      searchable={kept.length > 8}
      data={value && !kept.includes(String(value)) ? [String(value), ...kept] : kept}
      value={value ?? null}
      error={error || (gone ? "It is kept no more: choose another" : undefined)}
    />
  );
}

function About({ text, none }: { text: string; none: boolean }): ReactNode {
  if (!none) return text;
  return (
    <>
      {text} None is kept yet:{" "}
      <TextLink to="/settings/secrets" size="xs" underline="always">
        set one
      </TextLink>
      .
    </>
  );
}
