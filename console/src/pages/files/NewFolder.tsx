// A folder is what paths begin with: it is there once a file is.
import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { Bucket } from "../../api/types";
import { asFolder, pathProblem, toAddress } from "./place";

interface NewFolderProps {
  opened: boolean;
  onClose: () => void;
  bucket: Bucket;
  folder: string;
}

export function NewFolder({ opened, onClose, ...place }: NewFolderProps) {
  return (
    <Modal opened={opened} onClose={onClose} title="New folder">
      <NewFolderForm {...place} onClose={onClose} />
    </Modal>
  );
}

function NewFolderForm({ bucket, folder, onClose }: Omit<NewFolderProps, "opened">) {
  const [name, setName] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const navigate = useNavigate();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const path = `${folder}${asFolder(name)}`;
    const wrong = asFolder(name) === "" ? "Give a name" : pathProblem(path);
    setProblem(wrong);
    if (wrong) return;
    onClose();
    void navigate({
      to: "/files/$bucket/$",
      params: { bucket: bucket.name, _splat: toAddress(path) },
    });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput
          label="Name"
          description="It opens empty, and stays once a file is in it."
          value={name}
          error={problem}
          onChange={(event) => setName(event.currentTarget.value)}
          autoComplete="off"
          data-autofocus
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit">Open folder</Button>
        </Group>
      </Stack>
    </form>
  );
}
