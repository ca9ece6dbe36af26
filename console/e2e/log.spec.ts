import type { Locator } from "@playwright/test";
import { expect, held, release, sources, test, unique } from "./support/test.ts";

const scene = { id: "", lines: 0 };

test.beforeAll(async ({ playwright, server }) => {
  const { Api } = await import("./support/test.ts");
  const request = await playwright.request.newContext({
    baseURL: server.url,
    storageState: server.state,
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

test("long lines wrap where that is wanted, and that is remembered", async ({ page, api }) => {
  const { id } = await api.makeBundle("long-lines", sources(1, "?size=1", "long-".repeat(40)));
  await api.ended(id);
  const log = page.getByLabel("Log lines");
  const wrap = page.getByRole("button", { name: "Wrap long lines" });
  const line = log.locator("[data-seq]").filter({ hasText: "long-long-" }).first();
  const shape = async () => ({
    height: (await line.boundingBox())?.height ?? 0,
    scrolls: await log.evaluate((view) => view.scrollWidth > view.clientWidth),
  });
  // On a phone they do from the start.
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto(`/operations/${id}`);
  await expect(line).toBeVisible();
  await expect(wrap).toHaveAttribute("aria-pressed", "true");
  await expect.poll(async () => (await shape()).scrolls).toBe(false);
  await page.setViewportSize({ width: 1280, height: 720 });
  await page.reload();
  await expect(line).toBeVisible();
  await expect(wrap).toHaveAttribute("aria-pressed", "false");
  const { height, scrolls } = await shape();
  expect(scrolls).toBe(true);
  const wraps = async () => {
    await expect(wrap).toHaveAttribute("aria-pressed", "true");
    await expect.poll(shape).toEqual({ height: expect.any(Number), scrolls: false });
    expect((await shape()).height).toBeGreaterThan(1.5 * height);
  };
  await wrap.click();
  await wraps();
  await page.reload();
  await wraps();
  await wrap.click();
  await expect.poll(shape).toEqual({ height, scrolls: true });
});

test("the download is the whole log, plain or with its colours", async ({ page }) => {
  await page.goto(`/operations/${scene.id}`);
  const { readFile } = await import("node:fs/promises");
  const texts: string[] = [];
  for (const form of ["As plain text", "With its colours"]) {
    await page.getByRole("button", { name: "Download the whole log" }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: form }).click(),
    ]);
    expect(new URL(download.url()).searchParams.has("colours")).toBe(form !== "As plain text");
    const text = await readFile(await download.path(), "utf8");
    expect(text.trimEnd().split("\n").length).toBeGreaterThanOrEqual(scene.lines);
    texts.push(text);
  }
  // Nothing in this log has a colour.
  expect(texts[1]).toBe(texts[0]);
});

test("what is selected is copied without numbers and times", async ({ page }) => {
  await page.goto(`/operations/${scene.id}#L10`);
  await page.getByRole("button", { name: "Show times" }).click();
  await expect(page.getByRole("button", { name: "Show times" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
  const log = page.getByLabel("Log lines");
  await expect(log.locator('[data-seq="12"]')).toContainText("line-");
  const { lines } = await (
    await page.request.get(`/api/v1/operations/${scene.id}/log?from=10`)
  ).json();
  const copied = await log.evaluate((view) => {
    const row = (seq: number) => view.querySelector(`[data-seq="${seq}"]`) ?? view;
    const selection = getSelection();
    selection?.setBaseAndExtent(row(10), 0, row(12), row(12).childNodes.length);
    return selection?.toString();
  });
  expect(copied?.split("\n").filter((line) => line !== "")).toEqual(
    lines.slice(0, 3).map(({ text }: { text: string }) => text),
  );
});

test("following obeys the reader", async ({ page, api }) => {
  const hold = unique("followed");
  const { id } = await api.makeBundle("followed", [...sources(80), ...held(8, hold, "later")]);
  await page.goto(`/operations/${id}`);
  const log = page.getByLabel("Log lines");
  await expect(log).toHaveAttribute("data-following", "true");
  await expect
    .poll(() => log.evaluate((view) => view.scrollHeight - view.clientHeight))
    .toBeGreaterThan(400);
  const lines = async () => (await api.operation(id)).last_seq;
  await expect.poll(lines).toBeGreaterThan(80);
  await log.hover();
  await page.mouse.wheel(0, -200);
  await expect(log).toHaveAttribute("data-following", "false");
  const top = await stillScroll(log);
  await release(hold);
  const back = page.getByRole("button", { name: /new lines?$/ });
  await expect(back).toBeVisible();
  expect(await log.evaluate((view) => view.scrollTop)).toBe(top);
  await back.click();
  await expect(log).toHaveAttribute("data-following", "true");
  await expect(log).toContainText(/later-\d\.bin/);
});

test("every hit is reached, beyond the first hundred", async ({ page }) => {
  await page.goto(`/operations/${scene.id}`);
  const search = page.getByLabel("Search the whole log");
  await search.fill("line-1");
  const hits = page.getByRole("status").filter({ hasText: / of / });
  await expect(hits).toContainText(/^1 of 1,\d{3}$/);
  for (let hit = 2; hit <= 130; hit += 1) {
    await search.press("Enter");
    await expect(hits).toContainText(`${hit} of`);
  }
  await expect(page.locator("[data-hit=true]")).toBeVisible();
});

test("a log that fills the window keeps Tab, and Esc leaves it", async ({ page }) => {
  await page.goto(`/operations/${scene.id}`);
  const fill = page.getByRole("button", { name: "Fill the window" });
  await fill.focus();
  await page.keyboard.press("Enter");
  const view = page.locator("[data-full=true]");
  await expect(view).toBeVisible();
  await expect(fill).toBeFocused();
  for (let i = 0; i < 12; i += 1) {
    await page.keyboard.press("Tab");
    expect(await view.evaluate((log) => log.contains(document.activeElement))).toBe(true);
  }
  await page.keyboard.press("Escape");
  await expect(view).toHaveCount(0);
});

test("the link of a line is reached with the keyboard", async ({ page }) => {
  await page.goto(`/operations/${scene.id}#L10`);
  await expect(page.locator('[data-seq="10"]')).toBeVisible();
  await page.getByLabel("Log lines").focus();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Link to line 10", exact: true })).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#L11$/);
});

// A wheel scrolls on for some frames.
async function stillScroll(log: Locator): Promise<number> {
  let before = Number.NaN;
  await expect
    .poll(async () => {
      const now = await log.evaluate(
        (view) =>
          new Promise<number>((resume) =>
            requestAnimationFrame(() => requestAnimationFrame(() => resume(view.scrollTop))),
          ),
      );
      const still = now === before;
      before = now;
      return still;
    })
    .toBe(true);
  return before;
}
