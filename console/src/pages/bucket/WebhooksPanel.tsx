// Who is told of what happens to the files of a bucket, and how that went.
import { Button, Switch, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconWebhook } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { makeWebhook, removeWebhook, switchWebhook, webhookList } from "../../api/bucket-settings";
import type { Webhook, WebhookMade } from "../../api/types";
import { CopyLine } from "../../components/CopyLine";
import { ShownOnce } from "../../components/ShownOnce";
import { Ago } from "../../components/Times";
import { Panel } from "../settings/Panel";
import { PanelForm } from "../settings/PanelForm";
import { DeleteButton, ListRow, PanelList, useChange } from "../settings/PanelList";
import { Deliveries } from "./Deliveries";
import { useBucket } from "./use-bucket";

const NOTHING = {
  Icon: IconWebhook,
  sentence: "Nobody is told of these files yet. Give an address above.",
};

export function WebhooksPanel() {
  const { name } = useBucket();
  const query = useQuery(webhookList(name));
  const [made, setMade] = useState<WebhookMade | null>(null);
  return (
    <Panel
      title="Webhooks"
      lead="Addresses that are told, in order, of every file that comes, changes, moves and goes. What one does not take is tried again for about a day."
    >
      <WebhookForm bucket={name} onMade={setMade} />
      {made && <Made webhook={made} onDismiss={() => setMade(null)} />}
      <PanelList query={query} what="the webhooks" empty={NOTHING}>
        {(webhook) => <WebhookRow key={webhook.id} bucket={name} webhook={webhook} />}
      </PanelList>
    </Panel>
  );
}

interface Values {
  url: string;
  prefix: string;
}

function WebhookForm(props: { bucket: string; onMade: (webhook: WebhookMade) => void }) {
  const { bucket, onMade } = props;
  const form = useForm<Values>({
    initialValues: { url: "", prefix: "" },
    validate: {
      url: (url) => (/^https?:\/\/[^/]/.test(url.trim()) ? null : "Give an http or https address"),
    },
  });
  const making = useChange({
    change: ({ url, prefix }: Values) =>
      makeWebhook(bucket, { url: url.trim(), prefix: prefix.trim() }),
    list: webhookList(bucket),
    done: (webhook) => {
      onMade(webhook);
      form.reset();
    },
  });
  return (
    <PanelForm
      line
      saving={making}
      words={{ save: "Add webhook", saving: "Adding…", failed: "It was not added" }}
      onSubmit={form.onSubmit((values) => making.mutate(values))}
    >
      <TextInput
        label="Address"
        placeholder="https://example.org/files-changed"
        inputMode="url"
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        {...form.getInputProps("url")}
      />
      <TextInput
        label="Only below"
        placeholder="everything; covers/ is that folder"
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        {...form.getInputProps("prefix")}
      />
    </PanelForm>
  );
}

function Made({ webhook, onDismiss }: { webhook: WebhookMade; onDismiss: () => void }) {
  return (
    <ShownOnce
      title={`${hostOf(webhook.url)} is told from now on. This is the only time its key is shown.`}
      secret={webhook.secret}
      label="Copy key"
      onDismiss={onDismiss}
    >
      <Text size="sm" mt="sm" mb={6}>
        Of the request's header <code>Longshore-Signature: t=TIME,v1=DIGEST</code>, the digest is
        what this prints:
      </Text>
      <CopyLine
        text={`(printf '%s.' TIME; cat BODY) | openssl dgst -sha256 -hmac ${webhook.secret}`}
      />
    </ShownOnce>
  );
}

function WebhookRow({ bucket, webhook }: { bucket: string; webhook: Webhook }) {
  const { id, url, prefix, enabled, created_at } = webhook;
  const [unfolded, setUnfolded] = useState(false);
  const switching = useChange({
    change: (on: boolean) => switchWebhook(bucket, id, on),
    list: webhookList(bucket),
  });
  const removing = useChange({
    change: () => removeWebhook(bucket, id),
    list: webhookList(bucket),
  });
  return (
    <ListRow
      name={url}
      notes={
        <>
          {prefix === "" ? "of everything" : `of what lies below ${prefix}`} · made{" "}
          <Ago time={created_at} />
        </>
      }
      beside={
        <Switch
          aria-label={`${url} is told`}
          label={switching.isPending ? "Changing…" : enabled ? "On" : "Off"}
          checked={enabled}
          onChange={(event) => {
            if (!switching.isPending) switching.mutate(event.currentTarget.checked);
          }}
        />
      }
      actions={
        <>
          <Button
            size="xs"
            variant="default"
            aria-expanded={unfolded}
            aria-label={`Deliveries to ${url}`}
            onClick={() => setUnfolded(!unfolded)}
          >
            Deliveries
          </Button>
          <DeleteButton
            name={url}
            deleting={removing}
            consequences={["It is told nothing more, what it was not told yet included."]}
          />
        </>
      }
      unfolded={unfolded && <Deliveries webhook={id} />}
      failure={{ title: "The webhook was not changed", of: [removing, switching] }}
    />
  );
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
