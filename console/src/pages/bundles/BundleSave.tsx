// The zip itself: save it, pass it on. Stands at the top once there is one.
import { Button, Group, Text } from "@mantine/core";
import { IconDownload, IconLink } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { linkBundle } from "../../api/bundles";
import { isActive } from "../../api/feed";
import type { Bundle } from "../../api/types";
import { CopyLine } from "../../components/CopyLine";
import { copyText } from "../../components/copy";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Until } from "../../components/Times";
import { bytes } from "../../format/numbers";
import classes from "./BundleSave.module.css";

export function BundleSave({ bundle }: { bundle: Bundle }) {
  const linking = useMutation({
    mutationFn: async () => {
      const link = await linkBundle(bundle.id);
      const address = new URL(link.url, location.href).href;
      return { ...link, address, copied: await copyText(address) };
    },
  });
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
          <Button
            variant="default"
            size="md"
            leftSection={<IconLink size={18} aria-hidden />}
            disabled={linking.isPending}
            onClick={() => linking.mutate()}
          >
            {linking.isPending
              ? "Making a link…"
              : linking.data?.copied
                ? "Link copied"
                : "Copy link"}
          </Button>
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
