// Starts what the tests need: an origin, and for each worker a server on each database unless
// one is given. Logs in once, so that no test runs into the limit on attempts.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { request } from "@playwright/test";
import { PostgresDatabase } from "./database.ts";
import { startOrigin } from "./origin.ts";
import { logIn, PASSWORD, program, ServerProcess } from "./server-process.ts";
import { DATABASES, type Database, hand, POSTGRES, type Server, WORKERS } from "./servers.ts";

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

async function startServer(
  database: Database,
  worker: number,
  stops: (() => Promise<void>)[],
): Promise<Server> {
  // Before anything is made that would be left over without it.
  program();
  const postgres =
    database === "Postgres" && POSTGRES ? await PostgresDatabase.make(POSTGRES) : null;
  const server = await ServerProcess.on(postgres?.url ?? null);
  stops.push(async () => {
    await server.remove();
    await postgres?.drop();
  });
  await server.start();
  if (existsSync(server.file) === (postgres !== null)) {
    throw new Error(`The server that should be on ${database} is not.`);
  }
  const state = await logInOnce(server.url, `${database}-${worker}`);
  return { url: server.url, file: postgres ? null : server.file, state };
}

async function logInOnce(url: string, name: string): Promise<string> {
  const context = await request.newContext({ baseURL: url });
  await logIn(context);
  await mkdir("test-results", { recursive: true });
  const state = resolve("test-results", `admin-${name}.json`);
  await context.storageState({ path: state });
  await context.dispose();
  return state;
}
