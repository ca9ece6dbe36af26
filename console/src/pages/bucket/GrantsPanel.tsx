// Who may do what in a bucket, beside what roles open.
import { Badge, Checkbox, Group, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconUserCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import {
  allAccessKeys,
  allTokens,
  grantList,
  makeGrant,
  removeGrant,
} from "../../api/bucket-settings";
import { userList } from "../../api/settings";
import type { Grant, Permission } from "../../api/types";
import { Ago } from "../../components/Times";
import { actorName } from "../../format/actor";
import { Panel } from "../settings/Panel";
import { PanelForm, Wide } from "../settings/PanelForm";
import { DeleteButton, ListRow, PanelList, useChange } from "../settings/PanelList";
import { type GrantValues, grantOf, grantRules, type HolderKind, PERMISSIONS } from "./grants";
import { useBucket } from "./use-bucket";

const NOTHING = {
  Icon: IconUserCheck,
  sentence: "Nobody has a grant here yet. Give one above: to a person, a token or an access key.",
};

export function GrantsPanel() {
  const { name, by_role } = useBucket();
  const query = useQuery(grantList(name));
  return (
    <Panel
      title="Grants"
      lead={
        by_role
          ? "To a user they add to what the role opens. A token or an access key with grants is held to them."
          : "Roles do not open this bucket: beside admins, only who has a grant may do anything here."
      }
    >
      <GrantForm bucket={name} />
      <PanelList query={query} what="the grants" empty={NOTHING}>
        {(grant) => <GrantRow key={grant.id} bucket={name} grant={grant} />}
      </PanelList>
    </Panel>
  );
}

const KINDS: Array<{ value: HolderKind; label: string }> = [
  { value: "user", label: "A user" },
  { value: "token", label: "An API token" },
  { value: "access_key", label: "An access key" },
];

function GrantForm({ bucket }: { bucket: string }) {
  const form = useForm<GrantValues>({
    initialValues: { kind: "user", holder: "", prefix: "", permissions: ["read", "list"] },
    validate: grantRules,
  });
  const granting = useChange({
    change: (values: GrantValues) => makeGrant(bucket, grantOf(values)),
    list: grantList(bucket),
    done: () => form.setFieldValue("holder", ""),
  });
  const holders = useHolders(form.values.kind);
  return (
    <PanelForm
      saving={granting}
      words={{ save: "Grant it", saving: "Granting…", failed: "It was not granted" }}
      onSubmit={form.onSubmit((values) => granting.mutate(values))}
    >
      <Select
        label="To"
        allowDeselect={false}
        data={KINDS}
        {...form.getInputProps("kind")}
        onChange={(kind) => {
          form.setFieldValue("kind", (kind ?? "user") as HolderKind);
          form.setFieldValue("holder", "");
        }}
      />
      <Select
        label="Who"
        placeholder={holders.length === 0 ? "There is none" : "Choose one"}
        searchable
        data={holders}
        {...form.getInputProps("holder")}
        value={form.values.holder || null}
        onChange={(holder) => form.setFieldValue("holder", holder ?? "")}
      />
      <TextInput
        label="Where"
        placeholder="everywhere; covers/ is that folder"
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        {...form.getInputProps("prefix")}
      />
      <Wide>
        <Checkbox.Group label="May" {...form.getInputProps("permissions")}>
          <Group gap="lg" mt={8}>
            {PERMISSIONS.map(({ value, about }) => (
              <Checkbox key={value} value={value} label={value} description={about} />
            ))}
          </Group>
        </Checkbox.Group>
      </Wide>
    </PanelForm>
  );
}

function useHolders(kind: HolderKind): Array<{ value: string; label: string }> {
  const users = useQuery({ ...userList, enabled: kind === "user" });
  const tokens = useQuery({ ...allTokens, enabled: kind === "token" });
  const keys = useQuery({ ...allAccessKeys, enabled: kind === "access_key" });
  if (kind === "user") {
    return (users.data?.items ?? []).map(({ name }) => ({ value: name, label: name }));
  }
  if (kind === "token") {
    return (tokens.data?.items ?? []).map((token) => ({
      value: token.id,
      label: `${token.name} of ${token.owner}`,
    }));
  }
  return (keys.data?.items ?? []).map(({ id, name, owner, key }) => ({
    value: id,
    label: `${name} of ${owner} (${key})`,
  }));
}

function GrantRow({ bucket, grant }: { bucket: string; grant: Grant }) {
  const { id, prefix, permissions, created_at, created_by } = grant;
  const whose = useHolderName(grant);
  const removing = useChange({ change: () => removeGrant(bucket, id), list: grantList(bucket) });
  const where = prefix === "" ? "everywhere" : `below ${prefix}`;
  return (
    <ListRow
      name={whose}
      notes={
        <>
          {where} · granted <Ago time={created_at} /> by {actorName(created_by)}
          <Group gap={4} mt={4}>
            {permissions.map((permission: Permission) => (
              <Badge key={permission} size="sm" radius="sm" variant="default">
                {permission}
              </Badge>
            ))}
          </Group>
        </>
      }
      beside={
        <DeleteButton
          verb="Take back"
          acting="Taking it back…"
          name={`the grant of ${whose} ${where}`}
          deleting={removing}
          consequences={[`${whose} may not ${permissions.join(", ")} by it from now on.`]}
        />
      }
      failure={{ title: "The grant was not taken back", of: [removing] }}
    />
  );
}

function useHolderName({ user, token, token_name, access_key }: Grant): string {
  const keys = useQuery({ ...allAccessKeys, enabled: Boolean(access_key) });
  if (access_key) {
    const key = keys.data?.items.find(({ id }) => id === access_key);
    return key ? `access key ${key.name} of ${key.owner}` : "an access key";
  }
  if (token) return token_name ? `token ${token_name} of ${user}` : "a token that is gone";
  return user ?? "a user that is gone";
}
