// Drives the real server in a real Chromium. `LONGSHORE_URL` and
// `LONGSHORE_PASSWORD` point at a running one; without them each worker has servers
// of its own (`LONGSHORE_BIN` names the program): on SQLite, and in the Postgres that
// `LONGSHORE_TEST_POSTGRES` names; each file of tests meets one of them, which is the name of
// its project. `LONGSHORE_CHROMIUM` names the browser, `LONGSHORE_TRACE=1` keeps what a failed
// test saw.
import { defineConfig } from "@playwright/test";
import { DATABASES, type Database, filesOn, WORKERS } from "./e2e/support/servers.ts";

export default defineConfig<object, { database: Database }>({
  testDir: "e2e",
  globalSetup: "./e2e/support/start.ts",
  outputDir: "test-results/out",
  workers: WORKERS,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  projects: DATABASES.map((database) => ({
    name: database,
    ...filesOn(database),
    use: { database },
  })),
  use: {
    // Recorded where somebody wants to look: it takes a third of the time of a run.
    trace: process.env.LONGSHORE_TRACE ? "retain-on-failure" : "off",
    launchOptions: {
      executablePath: process.env.LONGSHORE_CHROMIUM || "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        "--no-first-run",
      ],
    },
  },
});
