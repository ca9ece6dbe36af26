// A database of a server's own in the Postgres of the tests, made and dropped by psql.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";

export class PostgresDatabase {
  /** The address for the server. */
  readonly url: string;
  #within: string;
  #name: string;

  private constructor(within: string, name: string) {
    const url = new URL(within);
    url.pathname = `/${name}`;
    this.url = url.href;
    this.#within = within;
    this.#name = name;
  }

  /** An empty one, in the server that this address names. */
  static async make(within: string): Promise<PostgresDatabase> {
    const name = `longshore_test_${randomBytes(16).toString("hex")}`;
    await say(within, `CREATE DATABASE ${name}`);
    return new PostgresDatabase(within, name);
  }

  async drop(): Promise<void> {
    await say(this.#within, `DROP DATABASE ${this.#name} WITH (FORCE)`);
  }
}

/** The password goes by the environment: arguments are seen by everybody on the machine. */
async function say(within: string, statement: string): Promise<void> {
  const address = new URL(within);
  const password = decodeURIComponent(address.password);
  address.password = "";
  const words = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", address.href];
  await promisify(execFile)("psql", [...words, "--command", statement], {
    env: { ...process.env, ...(password ? { PGPASSWORD: password } : {}) },
    timeout: 60_000,
  });
}
