import { Checkbox, Select, SimpleGrid, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { queryClient } from "../../api/query-client";
import { tokenList } from "../../api/settings";
import type { Scope, TokenIssued } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { SCOPES } from "./roles";
import classes from "./Settings.module.css";

const DAY = 86_400;
const LIFETIMES = [
  { value: String(30 * DAY), label: "30 days" },
  { value: String(90 * DAY), label: "90 days" },
  { value: String(365 * DAY), label: "1 year" },
];

interface NewToken {
  name: string;
  scopes: Scope[];
  expiresIn: string;
}

export function NewTokenForm({ onIssued }: { onIssued: (token: TokenIssued) => void }) {
  const form = useForm<NewToken>({
    initialValues: { name: "", scopes: [], expiresIn: String(90 * DAY) },
    validate: {
      name: (name) => (name.trim() === "" ? "Say what it is for" : null),
      scopes: (scopes) => (scopes.length === 0 ? "Choose what it may do" : null),
    },
  });
  const creating = useMutation({
    mutationFn: ({ name, scopes, expiresIn }: NewToken) =>
      take(
        api.POST("/api/v1/tokens", {
          body: { name: name.trim(), scopes, expires_in: Number(expiresIn) },
        }),
      ),
    onSuccess: (token) => {
      onIssued(token);
      form.reset();
      return queryClient.invalidateQueries({ queryKey: tokenList.queryKey });
    },
  });
  return (
    <form
      className={`card ${classes.form}`}
      onSubmit={form.onSubmit((values) => creating.mutate(values))}
    >
      <TextInput
        label="Name"
        placeholder="What it is for"
        autoComplete="off"
        {...form.getInputProps("name")}
      />
      <Select
        label="Expires after"
        allowDeselect={false}
        data={LIFETIMES}
        {...form.getInputProps("expiresIn")}
      />
      <Checkbox.Group className={classes.wide} label="It may" {...form.getInputProps("scopes")}>
        <SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }} mt={6} mb={6} spacing="xs">
          {SCOPES.map(({ value, label, about }) => (
            <Checkbox key={value} value={value} label={label} description={about} />
          ))}
        </SimpleGrid>
      </Checkbox.Group>
      <ActButton type="submit" flex="0 0 auto" busy={creating.isPending}>
        {creating.isPending ? "Creating…" : "Create token"}
      </ActButton>
      {creating.error && (
        <div className={classes.wide}>
          <ErrorPanel
            title="No token was created"
            error={creating.error}
            onDismiss={creating.reset}
          />
        </div>
      )}
    </form>
  );
}
