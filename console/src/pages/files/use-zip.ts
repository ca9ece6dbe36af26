// What is chosen, as one ZIP. The server makes it while it is downloaded and keeps
// nothing of it.
import { useMutation } from "@tanstack/react-query";
import { fileAddress } from "../../api/files";
import { zipStored } from "../../api/shares";
import { nameOf } from "./place";
import type { Row } from "./rows";

export type Zipping = ReturnType<typeof useZip>;

export function useZip(bucket: string, folder: string) {
  return useMutation({
    mutationFn: (rows: readonly Row[]) => {
      const [only] = rows;
      const name = nameOf(rows.length === 1 && only ? only.path : folder) || bucket;
      return zipStored(
        name,
        rows.map(({ kind, path }) =>
          kind === "file"
            ? { bucket, path, as: path.slice(folder.length) }
            : { bucket, prefix: path, as: nameOf(path) },
        ),
      );
    },
    onSuccess: ({ id }) => save(`/api/v1/bundles/${id}/archive`),
  });
}

/** One file as it is, several or a folder as a ZIP. */
export function download(bucket: string, rows: readonly Row[], zipping: Zipping): void {
  const [only] = rows;
  if (!only) return;
  if (rows.length === 1 && only.kind === "file") {
    save(fileAddress(bucket, only.path, "?download=1"));
  } else if (!zipping.isPending) {
    zipping.mutate(rows);
  }
}

function save(address: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  link.click();
}
