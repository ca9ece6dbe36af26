// The live connection is cut as a network cuts it, and resumed.
import { CuttableProxy } from "./support/cuttable-proxy.ts";
import { expect, held, release, sources, test, unique } from "./support/test.ts";

test.use({
  expectedComplaints: /WebSocket connection .* failed|ERR_(CONNECTION|EMPTY|NETWORK|SOCKET)/,
});

let proxy: CuttableProxy;

test.beforeEach(async ({ server }) => {
  proxy = await CuttableProxy.start(server.url);
});
test.afterEach(() => proxy.stop());

test("a cut connection says so, counts down, and resumes without a gap", async ({ page, api }) => {
  const [during, after] = [unique("during"), unique("after")];
  const { id } = await api.makeBundle("cut", [
    ...sources(4),
    ...held(4, during, "during"),
    ...held(4, after, "after"),
  ]);
  await page.addInitScript(() => {
    const seen: number[] = [];
    Object.assign(window, { seenLines: seen });
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
  proxy.cut();
  const banner = page.getByRole("alert").filter({ hasText: "live connection is lost" });
  await expect(banner).toContainText(/Next attempt in \d+ s|Trying now/);
  const atCut = (await api.operation(id)).last_seq;
  await release(during);
  await expect.poll(async () => (await api.operation(id)).last_seq).toBeGreaterThan(atCut);
  proxy.restore();
  const tryNow = banner.getByRole("button", { name: "Try now" });
  if (await tryNow.isVisible()) await tryNow.click({ timeout: 2_000 }).catch(() => {});
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
