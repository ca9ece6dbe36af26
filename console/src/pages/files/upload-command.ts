// The command that puts a file into a folder from anywhere.
import type { Bucket } from "../../api/types";

type Here = Pick<Location, "protocol" | "port" | "origin">;

/** By the bucket's own domain where it has one, which is the shorter way. */
export function uploadCommand({ name, hosts }: Bucket, folder: string, here: Here): string {
  const path = folder.split("/").map(encodeURIComponent).join("/");
  const [host] = hosts;
  const port = here.port === "" ? "" : `:${here.port}`;
  const address = host
    ? `${here.protocol}//${host}${port}/${path}`
    : `${here.origin}/api/v1/buckets/${encodeURIComponent(name)}/files/${path}`;
  // What curl is given with a `/` at its end, it completes with the file's name.
  return `curl -u NAME -T FILE ${quoted(address)}`;
}

function quoted(address: string): string {
  return /^[\w@%+=:,./-]+$/.test(address) ? address : `'${address.replaceAll("'", "'\\''")}'`;
}
