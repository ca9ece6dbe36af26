// A list that is dropped as a file. It is kept beside the text field: a hundred
// thousand lines in a text field would make typing slow.
import { Button, Text } from "@mantine/core";
import { IconFileText } from "@tabler/icons-react";
import { type DragEvent, useState } from "react";
import { bytes } from "../../format/numbers";
import classes from "./BundleForm.module.css";

// 100,000 addresses of 600 characters.
const LARGEST = 64 * 1024 * 1024;

interface ListFile {
  name: string;
  text: string;
}

export function useListDrop() {
  const [over, setOver] = useState(false);
  const [file, setFile] = useState<ListFile | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const take = async (transfer: DataTransfer) => {
    setError(null);
    try {
      setFile(await readDropped(transfer));
    } catch (failure) {
      setError(failure instanceof Error ? failure : new Error(String(failure)));
    }
  };
  return {
    over,
    file,
    error,
    clear: () => setFile(null),
    target: {
      onDragOver: (event: DragEvent) => {
        event.preventDefault();
        setOver(true);
      },
      onDragLeave: (event: DragEvent<HTMLElement>) => {
        const to = event.relatedTarget;
        if (!(to instanceof Node && event.currentTarget.contains(to))) setOver(false);
      },
      onDrop: (event: DragEvent) => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer);
      },
    },
  };
}

async function readDropped(transfer: DataTransfer): Promise<ListFile> {
  const dropped = transfer.files[0];
  if (!dropped) return { name: "Dropped text", text: transfer.getData("text/plain") };
  if (dropped.size > LARGEST) {
    throw new Error(
      `${dropped.name} is ${bytes(dropped.size)}; a list may have ${bytes(LARGEST)}.`,
    );
  }
  const text = await dropped.text();
  if (text.includes("\u0000")) {
    throw new Error(`${dropped.name} is not a text file. Drop a list of addresses, one per line.`);
  }
  return { name: dropped.name, text };
}

interface DroppedFileProps {
  name: string;
  size: number;
  onClear: () => void;
}

export function DroppedFile({ name, size, onClear }: DroppedFileProps) {
  return (
    <div className={classes.file}>
      <IconFileText size={26} stroke={1.5} aria-hidden />
      <div style={{ flex: 1, minWidth: 0 }}>
        <Text fw={600} className="ellipsis">
          {name}
        </Text>
        <Text size="xs" c="dimmed">
          {bytes(size)} of text
        </Text>
      </div>
      <Button variant="default" size="xs" onClick={onClear}>
        Use another list
      </Button>
    </div>
  );
}
