// Operations that started others, put straight into the database of a server that these
// tests started: nothing that it does today starts so many. The server sees them by itself
// within two seconds, as it sees what another replica did.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Server } from "./servers.ts";

/** An operation as it is to be; one of this title that is there already becomes that. */
export interface PutOperation {
  title: string;
  /** The title of the one that started it. */
  parent?: string;
  state: "running" | "succeeded" | "failed";
  error?: string;
  /** How long it took. */
  seconds?: number;
}

// Whose lease runs out in an hour is not taken up by this server.
const PUT = `
import json, os, sqlite3, sys, time, uuid
db = sqlite3.connect(sys.argv[1], timeout=30)
now = int(time.time() * 1_000_000)
at = now - 3_600_000_000
def new_id():
    id = bytearray((at // 1000).to_bytes(6, "big") + os.urandom(10))
    id[6], id[8] = 0x70 | id[6] & 0x0F, 0x80 | id[8] & 0x3F
    return bytes(id)
def known(title):
    row = db.execute("SELECT id, started_at FROM operation WHERE title = ?", (title,)).fetchone()
    return row or (None, None)
def put(title, state, parent=None, error=None, seconds=0.5):
    changed = db.execute(
        "UPDATE counter SET value = value + 1 WHERE name = 'operation_changed' RETURNING value"
    ).fetchone()[0]
    id, started = known(title)
    if id is None:
        id, started = new_id(), at
        db.execute(
            "INSERT INTO operation (id, kind, title, state, actor, trigger, parent, attempt,"
            " created_at, run_at, started_at, worker, lease_until, changed)"
            " VALUES (?, 'bundle', ?, 'running', 'user:admin', ?, ?, 1, ?, ?, ?, 'elsewhere', ?, ?)",
            (id, title, "operation" if parent else "api", known(parent)[0] if parent else None,
             at, at, at, now + 3_600_000_000, changed),
        )
    if state != "running":
        db.execute(
            "UPDATE operation SET state = ?, ended_at = ?, error_code = ?, error_text = ?,"
            " worker = '', lease_until = 0, changed = ? WHERE id = ?",
            (state, started + int(seconds * 1_000_000), "exit-status" if error else None, error,
             changed, id),
        )
    return id
ids = []
with db:
    for operation in json.loads(sys.argv[2]):
        at += 1_000_000
        ids.append(put(**operation))
print(uuid.UUID(bytes=ids[0]))
`;

/**
 * Puts these, each after what started it; the id of the first. Null where there is no
 * database to write to. What is put as running must be put as ended, too, or the server
 * believes for an hour that it runs elsewhere.
 */
export async function putOperations(
  { file }: Server,
  operations: readonly PutOperation[],
): Promise<string | null> {
  if (file === null) return null;
  const run = promisify(execFile);
  const { stdout } = await run("python3", ["-c", PUT, file, JSON.stringify(operations)]);
  return stdout.trim();
}

/**
 * An operation of this name with so many parts, of which the first has a part that has one,
 * too, and the second failed; its id. Null where there is no database to write to.
 */
export function makeParts(server: Server, name: string, count: number): Promise<string | null> {
  const state = "succeeded" as const;
  const part = (n: number) => `${name} part ${String(n).padStart(2, "0")}`;
  const parts = Array.from({ length: count }, (_, at): PutOperation => {
    const one = { title: part(at + 1), parent: name };
    return at === 1 ? { ...one, state: "failed", error: "The tide was out." } : { ...one, state };
  });
  return putOperations(server, [
    { title: name, state },
    ...parts,
    { title: `${name} inner part`, parent: part(1), state },
    { title: `${name} innermost part`, parent: `${name} inner part`, state },
  ]);
}
