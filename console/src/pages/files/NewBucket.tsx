// Making a bucket: a name is all it needs.
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { bucketList, makeBucket } from "../../api/files";
import { queryClient } from "../../api/query-client";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";

export function NewBucketButton() {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button onClick={open}>New bucket</Button>
      <NewBucketDialog opened={opened} onClose={close} />
    </>
  );
}

export function NewBucketDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="New bucket">
      <NewBucketForm onDone={onClose} />
    </Modal>
  );
}

function NewBucketForm({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState("");
  const navigate = useNavigate();
  const making = useMutation({
    mutationFn: () => makeBucket(name.trim()),
    onSuccess: (bucket) => {
      void queryClient.invalidateQueries({ queryKey: bucketList.queryKey });
      onDone();
      void navigate({ to: "/files/$bucket/$", params: { bucket: bucket.name, _splat: "" } });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== "") making.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput
          label="Name"
          description="3 to 63 of a to z, 0 to 9, “-” and “.”. It cannot be changed later."
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          data-autofocus
        />
        {making.error && <ErrorPanel title="The bucket was not made" error={making.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <ActButton type="submit" busy={making.isPending}>
            {making.isPending ? "Making it…" : "Make bucket"}
          </ActButton>
        </Group>
      </Stack>
    </form>
  );
}
