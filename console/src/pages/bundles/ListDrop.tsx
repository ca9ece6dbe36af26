// A list that is dropped as a file. It is kept beside the text field: a hundred
// thousand lines in a text field would make typing slow.
import { Button, Text } from "@mantine/core";
import { IconFileText } from "@tabler/icons-react";
import { type DragEvent, useEffect, useState } from "react";
import { bytes } from "../../format/numbers";
import classes from "./BundleForm.module.css";
import type { ListFile } from "./bundle-draft";

// More than a server takes that was not told to take more, which the summary says; beyond it,
// a file was hardly meant.
const LARGEST = 64 * 1024 * 1024;

/** Reads what is dropped on the page or chosen, and hands it to `taken`. */
export function useListDrop(taken: (file: ListFile) => void) {
  const [over, setOver] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const take = async (read: () => Promise<ListFile>) => {
    setError(null);
    try {
      taken(await read());
    } catch (failure) {
      setError(failure instanceof Error ? failure : new Error(String(failure)));
    }
  };
  useDropGuard((transfer) => void take(() => readDropped(transfer)));
  return {
    over,
    error,
    choose: (chosen: File | null) => {
      if (chosen) void take(() => readFile(chosen));
    },
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
        const { dataTransfer } = event;
        void take(() => readDropped(dataTransfer));
      },
    },
  };
}

// A file dropped beside the panel would replace the whole console by that file.
function useDropGuard(dropped: (transfer: DataTransfer) => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is done with a list stays the same
  useEffect(() => {
    const hold = (event: globalThis.DragEvent) => {
      if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
    };
    const drop = (event: globalThis.DragEvent) => {
      if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      dropped(event.dataTransfer);
    };
    window.addEventListener("dragover", hold);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", hold);
      window.removeEventListener("drop", drop);
    };
  }, []);
}

async function readDropped(transfer: DataTransfer): Promise<ListFile> {
  const dropped = transfer.files[0];
  return dropped
    ? readFile(dropped)
    : { name: "Dropped text", text: transfer.getData("text/plain") };
}

async function readFile(file: File): Promise<ListFile> {
  if (file.size > LARGEST) {
    throw new Error(`${file.name} is ${bytes(file.size)}; a list may have ${bytes(LARGEST)}.`);
  }
  const text = await file.text();
  if (text.includes("\u0000")) {
    throw new Error(`${file.name} is not a text file. Choose a list of addresses, one per line.`);
  }
  return { name: file.name, text };
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
