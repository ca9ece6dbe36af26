// Starts what the tests need: an origin, and for each worker a server on each database unless
// one is given. Logs in once, so that no test runs into the limit on attempts.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { request } from "@playwright/test";
import { PostgresDatabase } from "./database.ts";
import { startOrigin } from "./origin.ts";
import { DATABASES, type Database, hand, POSTGRES, type Server, WORKERS } from "./servers.ts";

const READY_MS = 20_000;

export default async function start(): Promise<() => Promise<void>> {
  const origin = await startOrigin();
  process.env.LONGSHORE_TEST_ORIGIN = origin.url;
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    const stopped = await Promise.allSettled(stops.map((stop) => stop()));
    origin.server.closeAllConnections();
    origin.server.close();
    allOf(stopped);
  };
  try {
    await startAll(stops);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

/** Hands over what was started, and notes how it is stopped as soon as there is something. */
async function startAll(stops: (() => Promise<void>)[]): Promise<void> {
  const given = process.env.LONGSHORE_URL;
  if (given) {
    hand({ given: [{ url: given, file: null, state: await logInOnce(given, "given") }] });
    return;
  }
  process.env.LONGSHORE_PASSWORD = PASSWORD;
  const onEach = DATABASES.map(async (database) => {
    const starting = Array.from({ length: WORKERS }, (_, worker) =>
      startServer(database, worker, stops),
    );
    return [database, allOf(await Promise.allSettled(starting))] as const;
  });
  hand(Object.fromEntries(allOf(await Promise.allSettled(onEach))));
}

/** What all came to, once none goes on; fails where one did. */
function allOf<T>(settled: PromiseSettledResult<T>[]): T[] {
  return settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

const PASSWORD = "a long password for the tests";

async function startServer(
  database: Database,
  worker: number,
  stops: (() => Promise<void>)[],
): Promise<Server> {
  const program = resolve(process.env.LONGSHORE_BIN ?? "../target/debug/longshore");
  if (!existsSync(program)) {
    throw new Error(`${program} does not exist. Build it, or set LONGSHORE_BIN or LONGSHORE_URL.`);
  }
  const postgres =
    database === "Postgres" && POSTGRES ? await PostgresDatabase.make(POSTGRES) : null;
  const data = await mkdtemp(join(tmpdir(), "longshore-e2e-"));
  const port = await freePort();
  const server = spawn(
    program,
    [
      "serve",
      "--listen",
      `127.0.0.1:${port}`,
      "--s3-listen",
      "127.0.0.1:0",
      "--data",
      join(data, "data"),
    ],
    {
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        ...(postgres ? { LONGSHORE_DATABASE: postgres.url } : {}),
        LONGSHORE_FETCH_ALLOW: "127.0.0.0/8",
        LONGSHORE_ADMIN_PASSWORD: PASSWORD,
      },
    },
  );
  let said = "";
  server.stderr.on("data", (text: Buffer) => {
    said = (said + text).slice(-4_000);
  });
  const ended = new Promise<void>((done) => server.once("exit", () => done()));
  stops.push(async () => {
    server.kill("SIGTERM");
    const forced = setTimeout(() => server.kill("SIGKILL"), 15_000);
    await ended;
    clearTimeout(forced);
    await rm(data, { recursive: true, force: true });
    await postgres?.drop();
  });
  const url = `http://127.0.0.1:${port}`;
  if (!(await answers(url))) {
    throw new Error(`The server on ${database} did not become ready. It said:\n${said}`);
  }
  const file = join(data, "data", "longshore.db");
  if (existsSync(file) === (postgres !== null)) {
    throw new Error(`The server that should be on ${database} is not.`);
  }
  const state = await logInOnce(url, `${database}-${worker}`);
  return { url, file: postgres ? null : file, state };
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

async function logInOnce(url: string, name: string): Promise<string> {
  const context = await request.newContext({ baseURL: url });
  const answer = await context.post("/api/v1/session", {
    data: { name: "admin", password: process.env.LONGSHORE_PASSWORD },
  });
  if (!answer.ok()) throw new Error(`Logging in failed: ${answer.status()} ${await answer.text()}`);
  await mkdir("test-results", { recursive: true });
  const state = resolve("test-results", `admin-${name}.json`);
  await context.storageState({ path: state });
  await context.dispose();
  return state;
}
