// Secrets by name. A value can be set and replaced, never read.
import { PasswordInput, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconLock } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { api } from "../../api/client";
import { queryClient } from "../../api/query-client";
import { secretList } from "../../api/settings";
import type { Secret } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { confirmDestruction } from "../../components/confirm";
import { EmptyState } from "../../components/EmptyState";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Ago } from "../../components/Times";
import { Loaded, Panel } from "./Panel";
import classes from "./Settings.module.css";

const reread = () => queryClient.invalidateQueries({ queryKey: secretList.queryKey });

export function SecretsPanel() {
  const query = useQuery(secretList);
  return (
    <Panel
      title="Secrets"
      lead="Encrypted on the server, referred to by name, and blacked out in every log."
    >
      <SecretForm />
      <Loaded query={query} what="the secrets">
        {({ items }) => (
          <div className="card">
            {items.length === 0 && (
              <EmptyState
                icon={<IconLock size={30} stroke={1.4} aria-hidden />}
                sentence="No secret is kept yet. Set one above; its value is never shown again."
              />
            )}
            {items.map((secret) => (
              <SecretRow key={secret.name} secret={secret} />
            ))}
          </div>
        )}
      </Loaded>
    </Panel>
  );
}

function SecretForm() {
  const form = useForm({
    initialValues: { name: "", value: "" },
    validate: {
      name: (name) => (name.trim() === "" ? "Give a name" : null),
      value: (value) => (value === "" ? "Give a value" : null),
    },
  });
  const setting = useMutation({
    mutationFn: ({ name, value }: { name: string; value: string }) =>
      api.PUT("/api/v1/secrets/{name}", {
        params: { path: { name: name.trim() } },
        body: { value },
      }),
    onSuccess: () => {
      form.reset();
      return reread();
    },
  });
  return (
    <form
      className={`card ${classes.form}`}
      onSubmit={form.onSubmit((values) => setting.mutate(values))}
    >
      <TextInput
        label="Name"
        placeholder="An existing name replaces its value"
        autoCapitalize="none"
        autoComplete="off"
        {...form.getInputProps("name")}
      />
      <PasswordInput
        label="Value"
        autoComplete="off"
        visibilityToggleButtonProps={{ "aria-label": "Show or hide the value", tabIndex: 0 }}
        {...form.getInputProps("value")}
      />
      <ActButton type="submit" className={classes.submit} busy={setting.isPending}>
        {setting.isPending ? "Setting…" : "Set secret"}
      </ActButton>
      {setting.error && (
        <div className={classes.wide}>
          <ErrorPanel
            title="The secret was not set"
            error={setting.error}
            onDismiss={setting.reset}
          />
        </div>
      )}
    </form>
  );
}

function SecretRow({ secret }: { secret: Secret }) {
  const deleting = useMutation({
    mutationFn: () =>
      api.DELETE("/api/v1/secrets/{name}", { params: { path: { name: secret.name } } }),
    onSuccess: reread,
  });
  return (
    <div className={classes.row}>
      <div style={{ minWidth: 0 }}>
        <Text fw={600} className="mono ellipsis">
          {secret.name}
        </Text>
        <div className={classes.sub}>
          Set <Ago time={secret.changed_at} />
        </div>
      </div>
      <ActButton
        size="xs"
        variant="default"
        busy={deleting.isPending}
        onClick={() =>
          confirmDestruction({
            action: `Delete ${secret.name}`,
            consequences: ["Its value is gone for good. What refers to it will fail."],
            onConfirm: () => deleting.mutate(),
          })
        }
      >
        {deleting.isPending ? "Deleting…" : "Delete"}
      </ActButton>
      {deleting.error && <ErrorPanel title="The secret was not deleted" error={deleting.error} />}
    </div>
  );
}
