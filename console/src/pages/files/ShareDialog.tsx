// A link to a file or a folder: until when, with which password, how often. The link is
// shown this once; those that live are listed below, with how often they were used.
import {
  Button,
  Group,
  Modal,
  NumberInput,
  PasswordInput,
  Select,
  Stack,
  Text,
  Title,
} from "@mantine/core";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { queryClient } from "../../api/query-client";
import { revokeShare, shareFile, sharePages } from "../../api/shares";
import type { Share } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { CopyLine } from "../../components/CopyLine";
import { ErrorPanel } from "../../components/ErrorPanel";
import { Ago, Until } from "../../components/Times";
import { count, counted } from "../../format/numbers";
import { named } from "./acts";
import classes from "./Past.module.css";
import type { Row } from "./rows";

interface ShareDialogProps {
  bucket: string;
  row: Row;
  onClose: () => void;
}

const DAY = 86_400;
const SPANS = [
  { value: String(DAY), label: "One day" },
  { value: String(7 * DAY), label: "7 days" },
  { value: String(30 * DAY), label: "30 days" },
  { value: String(365 * DAY), label: "One year" },
  { value: "", label: "For ever" },
];

export function ShareDialog({ bucket, row, onClose }: ShareDialogProps) {
  return (
    <Modal opened onClose={onClose} title={`Share ${named([row])}`} size="lg">
      <Stack gap="lg">
        <ShareForm bucket={bucket} row={row} />
        <LiveShares bucket={bucket} path={row.path} />
      </Stack>
    </Modal>
  );
}

function ShareForm({ bucket, row }: { bucket: string; row: Row }) {
  const [span, setSpan] = useState(String(7 * DAY));
  const [password, setPassword] = useState("");
  const [most, setMost] = useState<number | string>("");
  const sharing = useMutation({
    mutationFn: () =>
      shareFile(bucket, {
        path: row.path,
        ...(span === "" ? {} : { expires_in: Number(span) }),
        ...(password === "" ? {} : { password }),
        ...(most === "" ? {} : { max_downloads: Number(most) }),
      }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: sharePages(bucket).queryKey }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    sharing.mutate();
  };
  if (sharing.data) {
    return (
      <Stack gap="xs">
        <Text size="sm">Whoever has this link can download it. It is shown this once.</Text>
        <CopyLine text={sharing.data.url} label="Copy link" />
        <div>
          <Button size="xs" variant="default" onClick={sharing.reset}>
            Make another
          </Button>
        </div>
      </Stack>
    );
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {row.kind === "folder" && (
          <Text size="sm">All that is in the folder when it is downloaded, as one ZIP.</Text>
        )}
        <Select
          label="Good for"
          data={SPANS}
          value={span}
          allowDeselect={false}
          onChange={(value) => setSpan(value ?? "")}
        />
        <PasswordInput
          label="Password"
          description="10 characters or more; none, when empty."
          autoComplete="new-password"
          visibilityToggleButtonProps={{ "aria-label": "Show or hide the password", tabIndex: 0 }}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <NumberInput
          label="Most downloads"
          placeholder="no limit"
          min={1}
          decimalScale={0}
          hideControls
          value={most}
          onChange={setMost}
        />
        {sharing.error && <ErrorPanel title="It was not shared" error={sharing.error} />}
        <Group justify="flex-end">
          <ActButton type="submit" busy={sharing.isPending}>
            {sharing.isPending ? "Making the link…" : "Make link"}
          </ActButton>
        </Group>
      </Stack>
    </form>
  );
}

function LiveShares({ bucket, path }: { bucket: string; path: string }) {
  const { data, hasNextPage, fetchNextPage } = useInfiniteQuery(sharePages(bucket));
  const mine = data?.pages.flatMap(({ items }) => items).filter((share) => share.path === path);
  if (!mine || (mine.length === 0 && !hasNextPage)) return null;
  return (
    <Stack gap="xs">
      <Title order={2} size="h3">
        Links to it
      </Title>
      <ul className={`card ${classes.list}`}>
        {mine.map((share) => (
          <LiveShare key={share.id} bucket={bucket} share={share} />
        ))}
      </ul>
      {hasNextPage && (
        <div>
          <Button size="xs" variant="default" onClick={() => void fetchNextPage()}>
            Look further
          </Button>
        </div>
      )}
    </Stack>
  );
}

function LiveShare({ bucket, share }: { bucket: string; share: Share }) {
  const { id, downloads, max_downloads, has_password, expires_at, created_at } = share;
  const revoking = useMutation({
    mutationFn: () => revokeShare(id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: sharePages(bucket).queryKey }),
  });
  return (
    <li className={classes.row}>
      <div className={classes.what}>
        <Text size="sm">
          {counted(downloads, "download")}
          {max_downloads ? ` of ${count(max_downloads)}` : ""}
          {has_password ? ", with a password" : ""}
        </Text>
        <Text size="xs" c="dimmed">
          Made <Ago time={created_at} />,{" "}
          {expires_at ? (
            <>
              ends <Until time={expires_at} />
            </>
          ) : (
            "never ends"
          )}
        </Text>
      </div>
      <ActButton
        size="xs"
        variant="default"
        busy={revoking.isPending}
        onClick={() => revoking.mutate()}
      >
        {revoking.isPending ? "Revoking…" : "Revoke"}
      </ActButton>
      {revoking.error && <ErrorPanel title="It was not revoked" error={revoking.error} />}
    </li>
  );
}
