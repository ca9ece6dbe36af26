import { expect, sources, test } from "./support/test.ts";

const scene = { id: "", lines: 0 };

test.beforeAll(async ({ playwright }) => {
  const { Api } = await import("./support/test.ts");
  const request = await playwright.request.newContext({
    baseURL: process.env.LONGSHORE_URL,
    storageState: process.env.LONGSHORE_STATE,
  });
  const api = new Api(request);
  const { id } = await api.makeBundle("a-long-log", sources(2_500, "?size=1", "line"));
  await api.ended(id);
  scene.id = id;
  scene.lines = (await api.operation(id)).last_seq;
  await request.dispose();
});

test("the search counts on the server and walks from hit to hit", async ({ page }) => {
  await page.goto(`/operations/${scene.id}`);
  const search = page.getByLabel("Search the whole log");
  await page.getByLabel("Log lines").waitFor();
  await page.keyboard.press("/");
  await expect(search).toBeFocused();
  await search.fill("line-1234.bin");
  const hits = page.getByRole("status").filter({ hasText: / of / });
  await expect(hits).toContainText(/^1 of /);
  await expect(page.locator("[data-hit=true]")).toContainText("line-1234.bin");
  await search.press("Enter");
  await search.fill("line-(7|8)\\.bin");
  await expect(page.getByText("Not found")).toBeVisible();
  await page.getByRole("button", { name: "Regular expression" }).click();
  await expect(hits).toContainText(/^1 of /);
  await expect(page.locator("[data-hit=true]")).toContainText(/line-[78]\.bin/);
});

test("a line has an address that opens there", async ({ page }) => {
  const line = Math.floor(scene.lines / 2);
  await page.goto(`/operations/${scene.id}#L${line}`);
  await expect(page.locator(`[data-seq="${line}"]`)).toBeVisible();
  await expect(page.locator(`[data-seq="${line}"]`)).toHaveAttribute("data-marked", "true");
  await page.locator(`[data-seq="${line + 2}"] a`).click();
  await expect(page).toHaveURL(new RegExp(`#L${line + 2}$`));
});

test("reading switches are remembered", async ({ page }) => {
  await page.goto(`/operations/${scene.id}`);
  const wrap = page.getByRole("button", { name: "Wrap long lines" });
  const before = await wrap.getAttribute("aria-pressed");
  await wrap.click();
  await page.reload();
  await expect(wrap).not.toHaveAttribute("aria-pressed", before ?? "");
});

test("the download is the whole log", async ({ page }) => {
  await page.goto(`/operations/${scene.id}`);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download the whole log" }).click(),
  ]);
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(await download.path(), "utf8");
  expect(text.trimEnd().split("\n").length).toBeGreaterThanOrEqual(scene.lines);
});

test("following obeys the reader", async ({ page, api }) => {
  const { id } = await api.makeBundle("followed", sources(300, "?size=2048&trickle=150", "steady"));
  await page.goto(`/operations/${id}`);
  const log = page.getByLabel("Log lines");
  await expect(log).toHaveAttribute("data-following", "true");
  await expect
    .poll(() => log.evaluate((view) => view.scrollHeight - view.clientHeight))
    .toBeGreaterThan(300);
  await log.hover();
  await page.mouse.wheel(0, -200);
  await expect(log).toHaveAttribute("data-following", "false");
  const top = await log.evaluate((view) => view.scrollTop);
  const back = page.getByRole("button", { name: /new lines?$/ });
  await expect(back).toBeVisible();
  expect(await log.evaluate((view) => view.scrollTop)).toBe(top);
  await back.click();
  await expect(log).toHaveAttribute("data-following", "true");
  await api.cancel(id);
});
