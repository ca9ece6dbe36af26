// What is said of a file: its type, and pairs of a name and a value. It is saved only
// where the content is still the one that was looked at.
import { ActionIcon, Button, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { describeFile, fileQuery } from "../../api/files";
import { queryClient } from "../../api/query-client";
import type { StoredFile } from "../../api/types";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { fromPairs, type Pair, toPairs } from "./metadata";
import classes from "./Preview.module.css";

interface MetadataFormProps {
  bucket: string;
  file: StoredFile;
  editable: boolean;
  onChanged: (file: StoredFile) => void;
}

export function MetadataForm({ bucket, file, editable, onChanged }: MetadataFormProps) {
  const [pairs, setPairs] = useState<Pair[]>(() => toPairs(file.metadata));
  const [type, setType] = useState(file.type);
  const [problem, setProblem] = useState<string | null>(null);
  const saving = useMutation({
    mutationFn: (metadata: Record<string, unknown>) =>
      describeFile(bucket, file.path, file.etag, {
        ...(type.trim() === file.type ? {} : { type: type.trim() }),
        metadata: metadata as Record<string, never>,
      }),
    onSuccess: (saved) => {
      queryClient.setQueryData(fileQuery(bucket, file.path).queryKey, saved);
      setPairs(toPairs(saved.metadata));
      setType(saved.type);
      onChanged(saved);
    },
  });
  if (!editable && pairs.length === 0) return null;
  const change = (id: number, part: Partial<Pair>) =>
    setPairs((now) => now.map((pair) => (pair.id === id ? { ...pair, ...part } : pair)));
  const made = fromPairs(pairs);
  const changed =
    type.trim() !== file.type || JSON.stringify(made) !== JSON.stringify(file.metadata);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typeof made === "string") setProblem(made);
    else {
      setProblem(null);
      saving.mutate(made);
    }
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Title order={2} size="h3">
          Metadata
        </Title>
        {editable && (
          <TextInput
            label="Type"
            value={type}
            onChange={(event) => setType(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
          />
        )}
        {pairs.map(({ id, name, text }, index) => (
          <div key={id} className={classes.pair}>
            <TextInput
              aria-label={`Name ${index + 1}`}
              placeholder="name"
              value={name}
              readOnly={!editable}
              onChange={(event) => change(id, { name: event.currentTarget.value })}
            />
            <TextInput
              aria-label={`Value of ${name || `name ${index + 1}`}`}
              placeholder="value"
              value={text}
              readOnly={!editable}
              onChange={(event) => change(id, { text: event.currentTarget.value })}
            />
            {editable && (
              <ActionIcon
                variant="subtle"
                color="gray"
                size={36}
                aria-label={`Remove ${name || `name ${index + 1}`}`}
                onClick={() => setPairs((now) => now.filter((pair) => pair.id !== id))}
              >
                <IconX size={16} aria-hidden />
              </ActionIcon>
            )}
          </div>
        ))}
        {problem && (
          <Text size="sm" c="var(--mantine-color-error)" role="alert">
            {problem}
          </Text>
        )}
        {saving.error && (
          <ErrorPanel title="It was not saved" error={saving.error} onDismiss={saving.reset} />
        )}
        {editable && (
          <Group gap="xs">
            <Button
              size="xs"
              variant="default"
              leftSection={<IconPlus size={14} aria-hidden />}
              onClick={() => setPairs((now) => [...now, { id: nextId(now), name: "", text: "" }])}
            >
              Add a value
            </Button>
            {changed && (
              <ActButton size="xs" type="submit" busy={saving.isPending}>
                {saving.isPending ? "Saving…" : "Save"}
              </ActButton>
            )}
          </Group>
        )}
      </Stack>
    </form>
  );
}

const nextId = (pairs: readonly Pair[]) => Math.max(-1, ...pairs.map(({ id }) => id)) + 1;
