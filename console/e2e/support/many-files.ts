// A folder of very many files, put straight into the database of a server that these
// tests started: by the API a hundred thousand would take longer than all other tests.
// They have no contents.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Server } from "./servers.ts";

const INSERT = `
import os, sqlite3, sys, time
path, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
db = sqlite3.connect(path, timeout=30)
bucket = db.execute("SELECT id FROM bucket WHERE name = 'files'").fetchone()[0]
now = int(time.time() * 1_000_000)
def row(n):
    name = f"{folder}file-{n:06}.txt"
    return (os.urandom(16), bucket, name, folder, n * 37, now - n * 1_000_000, now - n * 1_000_000)
with db:
    db.executemany(
        "INSERT INTO file (id, bucket, path, folder, standing, size, type, sniffed, etag, created_at,"
        " modified_at, uploader) VALUES (?, ?, ?, ?, 'current', ?, 'text/plain', '', 'none', ?, ?, 'system')",
        (row(n) for n in range(count)),
    )
`;

/** True when they are there; false where there is no database to write to. */
export async function makeMany({ file }: Server, folder: string, count: number): Promise<boolean> {
  if (file === null) return false;
  await promisify(execFile)("python3", ["-c", INSERT, file, folder, String(count)]);
  return true;
}
