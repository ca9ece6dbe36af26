import { Checkbox, Select, SimpleGrid, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { api, take } from "../../api/client";
import { tokenList } from "../../api/settings";
import type { Scope, TokenIssued } from "../../api/types";
import { nameProblem } from "./names";
import { PanelForm, Wide } from "./PanelForm";
import { useChange } from "./PanelList";
import { SCOPES } from "./roles";

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
      name: nameProblem,
      scopes: (scopes) => (scopes.length === 0 ? "Choose what it may do" : null),
    },
  });
  const creating = useChange({
    change: ({ name, scopes, expiresIn }: NewToken) =>
      take(
        api.POST("/api/v1/tokens", {
          body: { name: name.trim(), scopes, expires_in: Number(expiresIn) },
        }),
      ),
    list: tokenList,
    done: (token) => {
      onIssued(token);
      form.reset();
    },
  });
  return (
    <PanelForm
      saving={creating}
      words={{ save: "Create token", saving: "Creating…", failed: "No token was created" }}
      onSubmit={form.onSubmit((values) => creating.mutate(values))}
    >
      <TextInput
        label="Name"
        placeholder="What it is for, such as nightly-backup"
        autoCapitalize="none"
        autoComplete="off"
        {...form.getInputProps("name")}
      />
      <Select
        label="Expires after"
        allowDeselect={false}
        data={LIFETIMES}
        {...form.getInputProps("expiresIn")}
      />
      <Wide>
        <Checkbox.Group label="It may" {...form.getInputProps("scopes")}>
          <SimpleGrid
            type="container"
            cols={{ base: 1, "380px": 2, "640px": 3 }}
            mt={8}
            spacing="sm"
            verticalSpacing="sm"
          >
            {SCOPES.map(({ value, label, about }) => (
              <Checkbox key={value} value={value} label={label} description={about} />
            ))}
          </SimpleGrid>
        </Checkbox.Group>
      </Wide>
    </PanelForm>
  );
}
