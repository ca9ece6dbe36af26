// A proxy that passes no WebSocket on: the page says so, and lives all the same.
import { PlainProxy } from "./support/plain-proxy.ts";
import { expect, held, release, sources, test, unique } from "./support/test.ts";

// The proxy is ended while the page still asks.
test.use({
  expectedComplaints: /WebSocket connection .* failed|ERR_(CONNECTION|EMPTY|NETWORK|SOCKET)/,
});

let proxy: PlainProxy;

test.beforeEach(async ({ server }) => {
  proxy = await PlainProxy.start(server.url);
});
test.afterEach(() => proxy.stop());

test("changes and lines arrive by polling, and the missing headers are named", async ({
  page,
  api,
}) => {
  const hold = unique("polled");
  const { id } = await api.makeBundle("polled", [...sources(3, "", "early"), ...held(3, hold)]);
  const reads: string[] = [];
  page.on("request", (request) => {
    if (/\/log\?/.test(request.url())) reads.push(request.url());
  });
  await page.goto(`${proxy.url}/operations/${id}`);
  // Nobody knows what runs before somebody has answered.
  await expect(page.getByRole("button", { name: "Asking what runs…" })).toBeVisible();
  const banner = page.getByRole("status").filter({ hasText: "changes are asked for again" });
  const dropped = "A proxy drops the headers Upgrade and Connection";
  await expect(banner).toContainText(dropped, { timeout: 20_000 });
  await expect(banner).toContainText("have it pass on Upgrade and Connection for /api/v1/live");
  await expect(page.getByText("Polling", { exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Operations: .*1 running/ })).toBeVisible();
  const log = page.getByLabel("Log lines");
  await expect(log).toContainText("early-0.bin");
  const before = reads.length;
  await release(hold);
  await expect(log).toContainText("held-0.bin");
  expect(reads.length, "lines that were read and not told").toBe(before);
  await api.ended(id);
  await expect(page.getByText("Succeeded", { exact: true }).first()).toBeVisible();
  await banner.getByRole("button", { name: "Dismiss" }).click();
  await expect(banner).toHaveCount(0);
});
