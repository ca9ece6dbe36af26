// The live connection is cut as a network cuts it, and resumed.
import type { Page } from "@playwright/test";
import { CuttableProxy } from "./support/cuttable-proxy.ts";
import { logIn, ServerProcess } from "./support/server-process.ts";
import { Api, expect, held, release, sources, test, unique } from "./support/test.ts";

test.use({
  expectedComplaints: /WebSocket connection .* failed|ERR_(CONNECTION|EMPTY|NETWORK|SOCKET)/,
});

let proxy: CuttableProxy;

test.beforeEach(async ({ server }) => {
  proxy = await CuttableProxy.start(server.url);
});
test.afterEach(() => proxy.stop());

const lostBanner = (page: Page) =>
  page.getByRole("alert").filter({ hasText: "live connection is lost" });

test("a cut connection says so, counts down, and resumes without a gap", async ({ page, api }) => {
  const [during, after] = [unique("during"), unique("after")];
  const { id } = await api.makeBundle("cut", [
    ...sources(4),
    ...held(4, during, "during"),
    ...held(4, after, "after"),
  ]);
  await page.addInitScript(() => {
    const seen: number[] = [];
    // While it is `on`, no wait for the next attempt ends by itself: the shortest is drawn
    // longer than whatever the page waits for else.
    const still = { on: false };
    const [after, chance] = [window.setTimeout.bind(window), Math.random];
    Math.random = () => (still.on ? 0.99 : chance());
    Object.assign(window, {
      seenLines: seen,
      still,
      setTimeout: (run: TimerHandler, ms = 0, ...rest: unknown[]) =>
        after(run, still.on && ms > 450 ? 2 ** 31 - 1 : ms, ...rest),
    });
    const Native = window.WebSocket;
    window.WebSocket = class extends Native {
      constructor(address: string | URL) {
        super(address);
        this.addEventListener("message", (event) => {
          const message = JSON.parse(String(event.data));
          if (message.type === "log") seen.push(...message.lines.map((line: number[]) => line[0]));
        });
      }
    };
  });
  await page.goto(`${proxy.url}/operations/${id}`);
  await expect(page.getByLabel("Log lines")).toContainText("file-0.bin");
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  const still = (on: boolean) =>
    page.evaluate((value) => {
      (window as unknown as { still: { on: boolean } }).still.on = value;
    }, on);
  await still(true);
  proxy.cut();
  const banner = lostBanner(page);
  await expect(banner).toContainText(/Next attempt in \d+ s/);
  const atCut = (await api.operation(id)).last_seq;
  await release(during);
  await expect.poll(async () => (await api.operation(id)).last_seq).toBeGreaterThan(atCut);
  proxy.restore();
  await still(false);
  await banner.getByRole("button", { name: "Try now" }).click();
  await expect(banner).toHaveCount(0);
  await release(after);
  await api.ended(id);
  const { last_seq } = await api.operation(id);
  await expect
    .poll(() =>
      page.evaluate(() => (window as unknown as { seenLines: number[] }).seenLines.at(-1)),
    )
    .toBe(last_seq);
  const seen = await page.evaluate(() => (window as unknown as { seenLines: number[] }).seenLines);
  expect(seen).toEqual(Array.from({ length: last_seq }, (_, i) => i + 1));
});

test("the bundle's page catches up after a cut", async ({ page, api }) => {
  const hold = unique("caught");
  const { id } = await api.makeBundle("caught-up", [...sources(12), ...held(8, hold)]);
  await page.goto(`${proxy.url}/bundles/${id}`);
  await expect(page.getByText(/^Fetching [1-9]/)).toBeVisible();
  proxy.cut();
  await expect(page.getByText("this page has lost its connection")).toBeVisible();
  await release(hold);
  await api.ended(id);
  proxy.restore();
  await expect(page.getByText(/^Done 20$/)).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("link", { name: /^Download zip/ })).toBeVisible();
});

test("the table of operations catches up after a cut", async ({ page, api }) => {
  const both = unique("apart");
  const [early, late] = [`${both}-early`, `${both}-late`];
  const { id } = await api.makeBundle(early, held(2, both));
  let positioned = false;
  page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) => {
      positioned ||= String(payload).includes('"type":"position"');
    });
  });
  await page.goto(`${proxy.url}/activity?text=${both}`);
  const row = page.getByRole("row").filter({ hasText: early });
  await expect(row).toContainText(/Running|Queued/);
  await expect.poll(() => positioned).toBe(true);
  proxy.cut();
  await expect(lostBanner(page)).toBeVisible();
  const { id: other } = await api.makeBundle(late, sources(1));
  await release(both);
  await Promise.all([api.ended(id), api.ended(other)]);
  await expect(row).toContainText(/Running|Queued/);
  proxy.restore();
  await expect(row).toContainText("Succeeded", { timeout: 30_000 });
  await page.getByRole("button", { name: "1 new" }).click();
  await expect(page.getByRole("row").nth(1)).toContainText(late);
});

test.describe("a server that ends and is started again", () => {
  // While it starts it may be there and not ready.
  test.use({
    expectedComplaints:
      /status of 503|WebSocket connection .* failed|ERR_(CONNECTION|EMPTY|NETWORK|SOCKET)/,
  });

  test("goes on with a bundle, and so does its open page", async ({ page, playwright }) => {
    test.skip(process.env.LONGSHORE_URL !== undefined, "the server is not ours to end");
    const own = await ServerProcess.on(null);
    const request = await playwright.request.newContext({ baseURL: own.url });
    try {
      await own.start();
      await logIn(request);
      await page.context().addCookies((await request.storageState()).cookies);
      const hold = unique("restarted");
      const api = new Api(request);
      const { id } = await api.makeBundle("restarted", [...sources(3), ...held(2, hold)]);
      await page.goto(`${own.url}/bundles/${id}`);
      await expect(page.getByText(/^Fetching [1-9]/)).toBeVisible();
      await expect(page.getByText("Live", { exact: true })).toBeVisible();
      await own.kill();
      await expect(lostBanner(page)).toBeVisible();
      await own.start();
      await expect(page.getByText("Live", { exact: true })).toBeVisible({ timeout: 30_000 });
      await release(hold);
      await expect(page.getByText(/^Done 5$/)).toBeVisible({ timeout: 30_000 });
      await expect(page.getByRole("link", { name: /^Download zip/ })).toBeVisible();
    } finally {
      await request.dispose();
      await own.remove();
    }
  });
});
