// Which server a test drives: each worker has its own on each database, so that none meets
// what another does at the same time.

/** Where a server keeps its rows: SQLite or Postgres, or whatever one that was given has. */
export type Database = "SQLite" | "Postgres" | "given";

/** What a worker must know of its server. */
export interface Server {
  url: string;
  /** The SQLite file, where these tests started the server on one. */
  file: string | null;
  /** The file with the session of the admin. */
  state: string;
}

/** The Postgres in which databases may be made: `cargo xtask peers` sets it. */
export const POSTGRES = process.env.LONGSHORE_TEST_POSTGRES;

const HANDED = "LONGSHORE_TEST_SERVERS";

/**
 * A server that is given from outside is one for all: then tests come one by one. Else three
 * at once, as they wait much: two leave four tenths of two cores idle.
 */
const given = process.env.LONGSHORE_URL !== undefined;
export const WORKERS = given ? 1 : 3;

/** The databases that are met, in this order. */
export const DATABASES: Database[] = given
  ? ["given"]
  : POSTGRES
    ? ["Postgres", "SQLite"]
    : ["SQLite"];

/**
 * The files of tests that meet SQLite where there is Postgres too; all others, and new ones,
 * meet Postgres: so a test that fails does so again. Every page is looked at there
 * (`pages.spec.ts`), and here more is done. Two must be here: they write rows into the file of
 * the database.
 */
const ON_SQLITE = [
  "bundle",
  "dashboard",
  "files",
  "keyboard",
  "login",
  "many-files",
  "parts",
  "polling",
  "scheme",
  "settings",
  "sync-states",
  "viewer",
].map((name) => `${name}.spec.ts`);

/** Which files of tests meet this database. */
export function filesOn(database: Database): { testMatch?: string[]; testIgnore?: string[] } {
  const names = ON_SQLITE.map((name) => `**/${name}`);
  if (database === "Postgres") return { testIgnore: names };
  return POSTGRES && database === "SQLite" ? { testMatch: names } : {};
}

/** Hands the servers to the workers, which begin with this process's environment. */
export function hand(servers: Record<string, Server[]>): void {
  process.env[HANDED] = JSON.stringify(servers);
}

/** In a worker: the one that is its own. */
export function ownOf(database: Database, worker: number): Server {
  const handed = JSON.parse(process.env[HANDED] ?? "{}") as Record<string, Server[]>;
  const own = handed[database]?.[worker];
  if (own === undefined) throw new Error(`Worker ${worker} has no server on ${database}.`);
  return own;
}
