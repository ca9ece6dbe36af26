// The zip itself: save it, pass it on. Stands at the top once there is one.
import { Button, Group, Text } from "@mantine/core";
import { IconDownload, IconLink } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { linkBundle } from "../../api/bundles";
import { isActive } from "../../api/feed";
import type { Bundle } from "../../api/types";
import { useSteering } from "../../api/use-steering";
import { ActButton } from "../../components/ActButton";
import { CopyLine } from "../../components/CopyLine";
import { copyText } from "../../components/copy";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Until } from "../../components/Times";
import { useNow } from "../../components/use-now";
import { bytes } from "../../format/numbers";
import { fullTime } from "../../format/times";
import classes from "./BundleSave.module.css";
import { hasExpired } from "./stage";

export function BundleSave({ bundle }: { bundle: Bundle }) {
  const linking = useMutation({
    mutationFn: async () => {
      const link = await linkBundle(bundle.id);
      const address = new URL(link.url, location.href).href;
      return { ...link, address, copied: await copyText(address) };
    },
  });
  const now = useNow();
  if (hasExpired(bundle, now)) return <Expired bundle={bundle} />;
  if (!bundle.archive_url) return null;
  const running = isActive(bundle);
  const size = bundle.size !== null && bundle.size !== undefined ? ` (${bytes(bundle.size)})` : "";
  const mayLink = bundle.actions.includes("link");
  return (
    <section className={`card ${classes.panel}`} aria-label="Save">
      <Group gap="sm">
        <Button
          component="a"
          href={bundle.archive_url}
          download
          size="md"
          variant={running ? "default" : "filled"}
          leftSection={<IconDownload size={18} aria-hidden />}
        >
          {running ? "Save while it is made" : `Download zip${size}`}
        </Button>
        {mayLink && !running && (
          <ActButton
            variant="default"
            size="md"
            leftSection={<IconLink size={18} aria-hidden />}
            busy={linking.isPending}
            onClick={() => linking.mutate()}
          >
            {linking.isPending
              ? "Making a link…"
              : linking.data?.copied
                ? "Link copied"
                : "Copy link"}
          </ActButton>
        )}
        {running && (
          <Text size="sm" c="dimmed">
            The download goes on as the files arrive.
          </Text>
        )}
        {bundle.expires_at && (
          <Text size="sm" c="dimmed">
            Expires <Until time={bundle.expires_at} />
          </Text>
        )}
      </Group>
      {linking.data && (
        <div>
          <Text size="sm" mb={6}>
            Whoever has this link can download the zip without a password; it ends{" "}
            <Until time={linking.data.expires_at} />.
          </Text>
          <CopyLine text={linking.data.address} label="Copy link again" />
        </div>
      )}
      {linking.error && (
        <ErrorPanel title="No link was made" error={linking.error} onDismiss={linking.reset} />
      )}
    </section>
  );
}

function Expired({ bundle }: { bundle: Bundle }) {
  const navigate = useNavigate();
  const { again, error, dismiss } = useSteering(bundle.id, ({ id }) =>
    navigate({ to: "/bundles/$id", params: { id } }),
  );
  return (
    <section className={`card ${classes.panel}`} aria-label="Save">
      <Group gap="sm">
        <Text>
          Expired on {fullTime(bundle.expires_at ?? bundle.created_at)}; the zip is not kept any
          more.
        </Text>
        {bundle.actions.includes("again") && (
          <ActButton busy={again.isPending} onClick={() => again.mutate()}>
            {again.isPending ? "Queuing…" : "Make again"}
          </ActButton>
        )}
      </Group>
      {error && <ErrorPanel title="It was not queued" error={error} onDismiss={dismiss} />}
    </section>
  );
}
