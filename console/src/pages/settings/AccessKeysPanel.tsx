// Access keys: what one's S3 clients sign with. A secret is shown once.
import { Alert, Badge, Checkbox, Group, Select, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconKey } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { accessKeyList } from "../../api/bucket-settings";
import { api, take } from "../../api/client";
import type { AccessKey, AccessKeyIssued, Scope } from "../../api/types";
import { CopyLine } from "../../components/CopyLine";
import { Ago, Until } from "../../components/Times";
import { nameProblem } from "./names";
import { Panel } from "./Panel";
import { PanelForm, Wide } from "./PanelForm";
import { DeleteButton, ListRow, PanelList, useChange } from "./PanelList";

const NOTHING = {
  Icon: IconKey,
  sentence: "You have no access key yet. Create one above for an S3 client.",
};

export function AccessKeysPanel() {
  const query = useQuery(accessKeyList);
  const [issued, setIssued] = useState<AccessKeyIssued | null>(null);
  return (
    <Panel
      title="Access keys"
      lead="For aws, rclone, boto3 and everything else that speaks S3. A key can do at most what you can."
    >
      <NewAccessKeyForm onIssued={setIssued} />
      {issued && <Issued issued={issued} onDismiss={() => setIssued(null)} />}
      <PanelList query={query} what="the access keys" empty={NOTHING}>
        {(key) => <AccessKeyRow key={key.id} accessKey={key} />}
      </PanelList>
    </Panel>
  );
}

const DAY = 86_400;
const LIFETIMES = [
  { value: String(90 * DAY), label: "90 days" },
  { value: String(365 * DAY), label: "1 year" },
  { value: "", label: "Never: until it is deleted" },
];
const USES: Array<{ value: Scope; label: string; about: string }> = [
  { value: "files:read", label: "Read files", about: "list and get them" },
  { value: "files:write", label: "Change files", about: "put and delete them" },
];

interface NewKey {
  name: string;
  scopes: Scope[];
  expiresIn: string;
}

function NewAccessKeyForm({ onIssued }: { onIssued: (issued: AccessKeyIssued) => void }) {
  const form = useForm<NewKey>({
    initialValues: {
      name: "",
      scopes: ["files:read", "files:write"],
      expiresIn: String(365 * DAY),
    },
    validate: {
      name: nameProblem,
      scopes: (scopes) => (scopes.length === 0 ? "Choose what it may do" : null),
    },
  });
  const creating = useChange({
    change: ({ name, scopes, expiresIn }: NewKey) =>
      take(
        api.POST("/api/v1/access-keys", {
          body: {
            name: name.trim(),
            scopes,
            ...(expiresIn === "" ? {} : { expires_in: Number(expiresIn) }),
          },
        }),
      ),
    list: accessKeyList,
    done: (issued) => {
      onIssued(issued);
      form.reset();
    },
  });
  return (
    <PanelForm
      saving={creating}
      words={{ save: "Create access key", saving: "Creating…", failed: "No key was created" }}
      onSubmit={form.onSubmit((values) => creating.mutate(values))}
    >
      <TextInput
        label="Name"
        placeholder="What it is for, such as rclone-at-home"
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
          <Group gap="lg" mt={8}>
            {USES.map(({ value, label, about }) => (
              <Checkbox key={value} value={value} label={label} description={about} />
            ))}
          </Group>
        </Checkbox.Group>
      </Wide>
    </PanelForm>
  );
}

function Issued({ issued, onDismiss }: { issued: AccessKeyIssued; onDismiss: () => void }) {
  return (
    <Alert
      color="indigo"
      variant="light"
      title={`${issued.name} is created. This is the only time its secret is shown.`}
      withCloseButton
      closeButtonLabel="Dismiss"
      onClose={onDismiss}
    >
      <CopyLine
        text={`AWS_ACCESS_KEY_ID=${issued.key}\nAWS_SECRET_ACCESS_KEY=${issued.secret}`}
        label="Copy key and secret"
      />
      <Text size="sm" mt="sm" mb={6}>
        Try it, at the address that the S3 protocol is served on (s3_listen in the configuration):
      </Text>
      <CopyLine text={`aws --endpoint-url http://127.0.0.1:8012 s3 ls`} />
    </Alert>
  );
}

function AccessKeyRow({ accessKey }: { accessKey: AccessKey }) {
  const { id, name, key, expires_at: end, last_used: used, scopes } = accessKey;
  const deleting = useChange({
    change: () => api.DELETE("/api/v1/access-keys/{id}", { params: { path: { id } } }),
    list: accessKeyList,
  });
  return (
    <ListRow
      name={name}
      notes={
        <>
          <span className="mono">{key}</span> ·{" "}
          {end ? (
            <>
              expires <Until time={end} />
            </>
          ) : (
            "never expires"
          )}
          {" · "}
          {used ? (
            <>
              used <Ago time={used} />
            </>
          ) : (
            "never used"
          )}
          <Group gap={4} mt={4}>
            {scopes.map((scope) => (
              <Badge key={scope} size="sm" radius="sm" variant="default">
                {scope}
              </Badge>
            ))}
          </Group>
        </>
      }
      beside={
        <DeleteButton
          name={name}
          deleting={deleting}
          consequences={["Whatever signs with this key is refused from now on."]}
        />
      }
      failure={{ title: `${name} was not deleted`, of: [deleting] }}
    />
  );
}
