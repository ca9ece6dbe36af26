// A proxy that passes no WebSocket on: the page says so, and lives all the same.
import { PlainProxy } from "./support/plain-proxy.ts";
import { expect, sources, test } from "./support/test.ts";

test.use({ expectedComplaints: /WebSocket connection .* failed/ });

let proxy: PlainProxy;

test.beforeEach(async () => {
  proxy = await PlainProxy.start(process.env.LONGSHORE_URL ?? "");
});
test.afterEach(() => proxy.stop());

test("changes and lines arrive by polling, and the missing headers are named", async ({
  page,
  api,
}) => {
  const { id } = await api.makeBundle("polled", sources(80, "?size=4096&trickle=250", "steady"));
  await page.goto(`${proxy.url}/operations/${id}`);
  const banner = page.getByRole("status").filter({ hasText: "A proxy refuses WebSockets" });
  await expect(banner).toContainText("Upgrade", { timeout: 20_000 });
  await expect(page.getByText("Polling", { exact: true })).toBeVisible();
  await expect(page.getByLabel("Log lines")).toContainText("steady-0.bin");
  await api.ended(id);
  await expect(page.getByText("Succeeded", { exact: true }).first()).toBeVisible();
  await banner.getByRole("button", { name: "Dismiss" }).click();
  await expect(banner).toHaveCount(0);
});
