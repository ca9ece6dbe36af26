// One server of the tests: a process on a directory and a port of its own, which can be
// ended as a crash ends it and started again as what it was.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { APIRequestContext } from "@playwright/test";

const READY_MS = 20_000;

/** The password of the admin of a server that these tests start. */
export const PASSWORD = "a long password for the tests";

/** The program to be tested. */
export function program(): string {
  const path = resolve(process.env.LONGSHORE_BIN ?? "../target/debug/longshore");
  if (existsSync(path)) return path;
  throw new Error(`${path} does not exist. Build it, or set LONGSHORE_BIN or LONGSHORE_URL.`);
}

export class ServerProcess {
  readonly url: string;
  readonly #directory: string;
  readonly #database: string | null;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();
  #said = "";

  private constructor(url: string, directory: string, database: string | null) {
    this.url = url;
    this.#directory = directory;
    this.#database = database;
  }

  /** One that is not started yet: on the Postgres database of this address, or on SQLite. */
  static async on(database: string | null): Promise<ServerProcess> {
    const directory = await mkdtemp(join(tmpdir(), "longshore-e2e-"));
    return new ServerProcess(`http://127.0.0.1:${await freePort()}`, directory, database);
  }

  /** Where SQLite's file is, if that is its database. */
  get file(): string {
    return join(this.#data, "longshore.db");
  }

  get #data(): string {
    return join(this.#directory, "data");
  }

  /** Starts it, and waits until it answers. */
  async start(): Promise<void> {
    const listen = new URL(this.url).host;
    const child = spawn(
      program(),
      ["serve", "--listen", listen, "--s3-listen", "127.0.0.1:0", "--data", this.#data],
      {
        stdio: ["ignore", "ignore", "pipe"],
        env: {
          ...process.env,
          ...(this.#database ? { LONGSHORE_DATABASE: this.#database } : {}),
          LONGSHORE_FETCH_ALLOW: "127.0.0.0/8",
          LONGSHORE_ADMIN_PASSWORD: PASSWORD,
        },
      },
    );
    child.stderr.on("data", (text: Buffer) => {
      this.#said = (this.#said + text).slice(-4_000);
    });
    this.#child = child;
    this.#ended = new Promise<void>((done) => child.once("exit", () => done()));
    if (await answers(this.url)) return;
    const database = this.#database ? "Postgres" : "SQLite";
    throw new Error(`The server on ${database} did not become ready. It said:\n${this.#said}`);
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#ended;
  }

  /** Ends it in order, and removes what it kept. */
  async remove(): Promise<void> {
    const child = this.#child;
    child?.kill("SIGTERM");
    const forced = setTimeout(() => child?.kill("SIGKILL"), 15_000);
    await this.#ended;
    clearTimeout(forced);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Logs in as the admin: from then on the requests of this context are theirs. */
export async function logIn(context: APIRequestContext): Promise<void> {
  const answer = await context.post("/api/v1/session", {
    data: { name: "admin", password: process.env.LONGSHORE_PASSWORD },
  });
  if (!answer.ok()) throw new Error(`Logging in failed: ${answer.status()} ${await answer.text()}`);
}

async function answers(url: string): Promise<boolean> {
  const until = Date.now() + READY_MS;
  while (Date.now() < until) {
    const ready = await fetch(`${url}/readyz`).catch(() => null);
    if (ready?.ok) return true;
    await wait(100);
  }
  return false;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === "string") throw new Error("There is no free port.");
  return address.port;
}
