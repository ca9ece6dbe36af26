// Somebody who may only watch is offered nothing that the server would refuse.
import type { Browser, BrowserContext } from "@playwright/test";
import { isSound } from "./support/sound.ts";
import { expect, held, origin, release, sources, test, unique } from "./support/test.ts";

const PASSWORD = "a password of somebody who watches";
let context: BrowserContext;

async function loggedIn(browser: Browser, url: string, name: string): Promise<BrowserContext> {
  const fresh = await browser.newContext({
    baseURL: url,
    storageState: { cookies: [], origins: [] },
  });
  const answer = await fresh.request.post("/api/v1/session", {
    data: { name, password: PASSWORD },
  });
  expect(answer.ok()).toBe(true);
  return fresh;
}

test.beforeEach(async ({ browser, api, server }) => {
  const name = unique("watcher");
  await api.change("/api/v1/users", { name, role: "viewer", password: PASSWORD });
  context = await loggedIn(browser, server.url, name);
});
test.afterEach(() => context.close());

test("a viewer is offered no way to make anything", async () => {
  const page = await context.newPage();
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Recent" })).toBeVisible();
  await expect(page.getByRole("link", { name: /New bundle|Make a bundle/ })).toHaveCount(0);
  await isSound(page, "viewer-dashboard");
  await page.goto("/bundles");
  await expect(page.getByRole("heading", { name: "Earlier bundles" })).toBeVisible();
  await expect(page.getByLabel("Addresses")).toHaveCount(0);
  await expect(
    page.getByText("Operators and admins make bundles, and you are a viewer."),
  ).toBeVisible();
  await isSound(page, "viewer-bundles");
  await page.goto("/syncs");
  await expect(
    page.getByText("Operators and admins run and pause syncs, and you are a viewer."),
  ).toBeVisible();
  await expect(page.getByRole("link", { name: "New sync" })).toHaveCount(0);
  await page.goto("/files");
  await expect(page.getByText("You may not put files here.")).toBeVisible();
  await expect(page.getByRole("button", { name: /^Upload/ })).toHaveCount(0);
  await page.goto("/settings/schedules");
  await expect(page.getByText("bundle-expiry").first()).toBeVisible();
  await expect(page.getByRole("button", { name: "New schedule" })).toHaveCount(0);
});

test("a viewer has an account, and no panels for admins", async () => {
  const page = await context.newPage();
  await page.goto("/settings/users");
  await expect(page).toHaveURL(/\/settings\/account$/);
  await expect(page.getByText(/\(this one\)/)).toBeVisible();
  await expect(page.getByRole("link", { name: "Users" })).toHaveCount(0);
  await isSound(page, "viewer-account");
  await page.getByLabel("Present password").fill(PASSWORD);
  await page.getByLabel("New password").fill("another long password");
  await page.getByRole("button", { name: "Set password" }).click();
  await expect(page.getByText("The password is changed.")).toBeVisible();
});

test("a viewer sees a bundle without buttons that are refused", async ({ api }) => {
  const hold = unique("watched");
  const { id } = await api.makeBundle("watched", [
    ...sources(2),
    origin("no.jpg?status=404"),
    ...held(2, hold),
  ]);
  const page = await context.newPage();
  await page.goto(`/bundles/${id}`);
  await expect(page.getByText(/^Done 2$/)).toBeVisible();
  await expect(page.getByRole("button", { name: "Cancel" })).toHaveCount(0);
  await expect(
    page.getByText("Operators and admins cancel, repeat and delete bundles"),
  ).toBeVisible();
  await release(hold);
  await expect(page.getByRole("link", { name: /^Download zip/ })).toBeVisible();
  await expect(page.getByRole("button", { name: /Make again|Delete|Retry/ })).toHaveCount(0);
  await isSound(page, "viewer-bundle");
});
