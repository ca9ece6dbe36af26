// Operations that started others, put straight into the database of a server that these
// tests started: nothing that it does today starts so many.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Server } from "./servers.ts";

const INSERT = `
import os, sqlite3, sys, time, uuid
path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
db = sqlite3.connect(path, timeout=30)
now = int(time.time() * 1_000_000) - 3_600_000_000
def insert(title, parent, state="succeeded", error=None):
    global now
    now += 1_000_000
    at = (now // 1000).to_bytes(6, "big")
    id = bytearray(at + os.urandom(10))
    id[6], id[8] = 0x70 | id[6] & 0x0F, 0x80 | id[8] & 0x3F
    changed = db.execute(
        "UPDATE counter SET value = value + 1 WHERE name = 'operation_changed' RETURNING value"
    ).fetchone()[0]
    db.execute(
        "INSERT INTO operation (id, kind, title, state, actor, trigger, parent, attempt, created_at,"
        " run_at, started_at, ended_at, error_code, error_text, changed)"
        " VALUES (?, 'bundle', ?, ?, 'user:admin', ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)",
        (bytes(id), title, state, "operation" if parent else "api", parent, now, now, now,
         now + 500_000, "exit-status" if error else None, error, changed),
    )
    return bytes(id)
with db:
    root = insert(name, None)
    for n in range(1, count + 1):
        failed = n == 2
        part = insert(f"{name} part {n:02}", root, *(("failed", "The tide was out.") if failed else ()))
        if n == 1:
            inner = insert(f"{name} inner part", part)
            insert(f"{name} innermost part", inner)
print(uuid.UUID(bytes=root))
`;

/**
 * An operation of this name with so many parts, of which the first has a part that has one,
 * too, and the second failed; its id. Null where there is no database to write to.
 */
export async function makeParts(
  { file }: Server,
  name: string,
  count: number,
): Promise<string | null> {
  if (file === null) return null;
  const run = promisify(execFile);
  const { stdout } = await run("python3", ["-c", INSERT, file, name, String(count)]);
  return stdout.trim();
}
