// Starts what the tests need: an origin, and a server for each worker unless one is given.
// Logs in once, so that no test runs into the limit on attempts.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { request } from "@playwright/test";
import { startOrigin } from "./origin.ts";
import { hand, type Server, WORKERS } from "./servers.ts";

const READY_MS = 20_000;

export default async function start(): Promise<() => Promise<void>> {
  const origin = await startOrigin();
  process.env.LONGSHORE_TEST_ORIGIN = origin.url;
  const stops: (() => Promise<void>)[] = [];
  if (process.env.LONGSHORE_URL) {
    process.env.LONGSHORE_STATE = await logInOnce(process.env.LONGSHORE_URL, "given");
  } else {
    const servers = await Promise.all(Array.from({ length: WORKERS }, startServer));
    stops.push(...servers.map(({ stop }) => stop));
    hand(await Promise.all(servers.map(withSession)));
  }
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
    origin.server.closeAllConnections();
    origin.server.close();
  };
}

const PASSWORD = "a long password for the tests";

interface Started {
  url: string;
  database: string;
  stop: () => Promise<void>;
}

async function withSession({ url, database }: Started, index: number): Promise<Server> {
  process.env.LONGSHORE_PASSWORD = PASSWORD;
  return { url, database, state: await logInOnce(url, String(index)) };
}

async function startServer(): Promise<Started> {
  const program = resolve(process.env.LONGSHORE_BIN ?? "../target/debug/longshore");
  if (!existsSync(program)) {
    throw new Error(`${program} does not exist. Build it, or set LONGSHORE_BIN or LONGSHORE_URL.`);
  }
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
  const url = `http://127.0.0.1:${port}`;
  if (!(await answers(url))) {
    server.kill("SIGKILL");
    throw new Error(`The server did not become ready. It said:\n${said}`);
  }
  const stop = async () => {
    server.kill("SIGTERM");
    const forced = setTimeout(() => server.kill("SIGKILL"), 15_000);
    await ended;
    clearTimeout(forced);
    await rm(data, { recursive: true, force: true });
  };
  return { url, database: join(data, "data", "longshore.db"), stop };
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
