// The address at which a store tells of its objects, and its secret, which is shown once.
import { Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { endHook, hookQuery, renewHook } from "../../api/bucket-settings";
import { queryClient } from "../../api/query-client";
import type { HookRenewed } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { CopyLine } from "../../components/CopyLine";
import { confirmDestruction } from "../../components/confirm";
import { ErrorPanel } from "../../components/ErrorPanel";
import { ShownOnce } from "../../components/ShownOnce";
import { Ago } from "../../components/Times";
import { actorName } from "../../format/actor";
import { Loaded } from "../settings/Panel";
import { DeleteButton, useChange } from "../settings/PanelList";
import classes from "./Store.module.css";

export function StoreHook({ bucket }: { bucket: string }) {
  const query = useQuery(hookQuery(bucket));
  const [renewed, setRenewed] = useState<HookRenewed | null>(null);
  const renewing = useChange({
    change: () => renewHook(bucket),
    list: hookQuery(bucket),
    done: setRenewed,
  });
  const ending = useChange({
    change: () => endHook(bucket),
    list: hookQuery(bucket),
    done: () => {
      queryClient.setQueryData(hookQuery(bucket).queryKey, null);
      setRenewed(null);
    },
  });
  const failed = [renewing, ending].find(({ error }) => error !== null);
  return (
    <section aria-labelledby="told">
      <Title order={3} id="told" mb="xs">
        What the store tells
      </Title>
      <div className={`card ${classes.box}`}>
        <Loaded query={query} what="the hook">
          {(hook) => (
            <Group justify="space-between">
              <Text size="sm" style={{ flex: "1 1 240px" }}>
                {hook ? (
                  <>
                    Whoever has the secret that {actorName(hook.created_by)} made{" "}
                    <Ago time={hook.created_at} /> may tell of objects.
                  </>
                ) : (
                  "No store tells of its objects yet. Make a secret, and give it to the store with the address."
                )}
              </Text>
              <Group gap="xs">
                <ActButton
                  size="xs"
                  variant={hook ? "default" : "filled"}
                  busy={renewing.isPending}
                  onClick={() =>
                    hook
                      ? confirmDestruction({
                          action: "Make another secret",
                          consequences: ["The one of before opens nothing from then on."],
                          onConfirm: () => renewing.mutate(),
                        })
                      : renewing.mutate()
                  }
                >
                  {renewing.isPending ? "Making it…" : hook ? "New secret" : "Make a secret"}
                </ActButton>
                {hook && (
                  <DeleteButton
                    verb="End"
                    acting="Ending it…"
                    name="what the store tells"
                    deleting={ending}
                    consequences={["What it tells from then on is refused; comparing goes on."]}
                  />
                )}
              </Group>
            </Group>
          )}
        </Loaded>
        {renewed && <Renewed hook={renewed} onDismiss={() => setRenewed(null)} />}
        {failed && (
          <ErrorPanel title="That did not work" error={failed.error} onDismiss={failed.reset} />
        )}
      </div>
    </section>
  );
}

function Renewed({ hook, onDismiss }: { hook: HookRenewed; onDismiss: () => void }) {
  const address = `${location.origin}${hook.path}`;
  return (
    <ShownOnce
      title="This is the only time the secret is shown."
      secret={hook.secret}
      label="Copy secret"
      onDismiss={onDismiss}
    >
      <Stack gap={6}>
        <Text size="sm" mt="xs">
          AWS: subscribe this to the topic that the bucket notifies (https). Treat it as a password:
        </Text>
        <CopyLine text={`${address}?secret=${hook.secret}`} label="Copy address for AWS" />
        <Text size="sm" mt="xs">
          MinIO and RustFS:
        </Text>
        <CopyLine
          text={`mc admin config set STORE notify_webhook:longshore endpoint=${address} auth_token=${hook.secret}`}
        />
        <Text size="sm" mt="xs">
          Everything else: <code>POST {address}</code> with the header{" "}
          <code>Authorization: Bearer SECRET</code>. A GET with it answers 204 when all is well.
        </Text>
      </Stack>
    </ShownOnce>
  );
}
