// Secrets by name. A value can be set and replaced, never read.
import { PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client";
import { secretList } from "../../api/settings";
import type { Secret } from "../../api/types";
import { Ago } from "../../components/Times";
import { Panel } from "./Panel";
import { PanelForm } from "./PanelForm";
import { DeleteButton, ListRow, PanelList, useChange } from "./PanelList";

const NOTHING = {
  Icon: IconLock,
  sentence: "No secret is kept yet. Set one above; its value is never shown again.",
};

export function SecretsPanel() {
  const query = useQuery(secretList);
  return (
    <Panel
      title="Secrets"
      lead="Encrypted on the server, referred to by name, and blacked out in every log."
    >
      <SecretForm />
      <PanelList query={query} what="the secrets" empty={NOTHING}>
        {(secret) => <SecretRow key={secret.name} secret={secret} />}
      </PanelList>
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
  const setting = useChange({
    change: ({ name, value }: { name: string; value: string }) =>
      api.PUT("/api/v1/secrets/{name}", {
        params: { path: { name: name.trim() } },
        body: { value },
      }),
    list: secretList,
    done: form.reset,
  });
  return (
    <PanelForm
      line
      saving={setting}
      words={{ save: "Set secret", saving: "Setting…", failed: "The secret was not set" }}
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
    </PanelForm>
  );
}

function SecretRow({ secret: { name, changed_at: changed } }: { secret: Secret }) {
  const deleting = useChange({
    change: () => api.DELETE("/api/v1/secrets/{name}", { params: { path: { name } } }),
    list: secretList,
  });
  return (
    <ListRow
      name={name}
      mono
      notes={
        <>
          Set <Ago time={changed} />
        </>
      }
      beside={
        <DeleteButton
          name={name}
          deleting={deleting}
          consequences={["Its value is gone for good. What refers to it will fail."]}
        />
      }
      failure={{ title: `${name} was not deleted`, of: [deleting] }}
    />
  );
}
