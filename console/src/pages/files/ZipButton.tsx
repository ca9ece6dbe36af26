// What is chosen, as one ZIP. The server makes it while it is downloaded and keeps
// nothing of it.
import { IconFileZip } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { zipStored } from "../../api/shares";
import { ActButton } from "../../components/ActButton";
import { ErrorPanel } from "../../components/ErrorPanel";
import { nameOf } from "./place";
import type { Row } from "./rows";

interface ZipButtonProps {
  bucket: string;
  folder: string;
  rows: readonly Row[];
}

export function ZipButton({ bucket, folder, rows }: ZipButtonProps) {
  const [only] = rows;
  const name = nameOf(rows.length === 1 && only ? only.path : folder) || bucket;
  const zipping = useMutation({
    mutationFn: () =>
      zipStored(
        name,
        rows.map(({ kind, path }) =>
          kind === "file"
            ? { bucket, path, as: path.slice(folder.length) }
            : { bucket, prefix: path, as: nameOf(path) },
        ),
      ),
    onSuccess: ({ id }) => {
      const link = document.createElement("a");
      link.href = `/api/v1/bundles/${id}/archive`;
      link.download = "";
      link.click();
    },
  });
  return (
    <>
      <ActButton
        size="compact-sm"
        variant="default"
        leftSection={<IconFileZip size={15} aria-hidden />}
        busy={zipping.isPending}
        onClick={() => zipping.mutate()}
      >
        {zipping.isPending ? "Gathering…" : "Download ZIP"}
      </ActButton>
      {zipping.error && (
        <ErrorPanel title="The ZIP was not made" error={zipping.error} onDismiss={zipping.reset} />
      )}
    </>
  );
}
