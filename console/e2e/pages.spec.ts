// Every page and overlay in both schemes and at both widths: no accessibility
// violation, no sideways scroll, nothing in the browser's console.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, origin, sidewaysScroll, sources, test } from "./support/test.ts";

const scene = { bundle: "" };

test.beforeAll(async ({ playwright }) => {
  const { Api } = await import("./support/test.ts");
  const request = await playwright.request.newContext({
    baseURL: process.env.LONGSHORE_URL,
    storageState: process.env.LONGSHORE_STATE,
  });
  const api = new Api(request);
  const { id } = await api.makeBundle("covers-for-looking-at", [
    ...sources(12),
    origin("missing.jpg?status=404"),
  ]);
  await api.ended(id);
  scene.bundle = id;
  await request.dispose();
});

async function isSound(page: Page, what: string) {
  // What fades in is judged once it is there.
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation.effect?.getComputedTiming().iterations !== Infinity)
        .map((animation) => animation.finished.catch(() => {})),
    ),
  );
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html).join(" | ")}`);
  expect(found, what).toEqual([]);
  expect(await sidewaysScroll(page), `sideways scroll of ${what}`).toBeLessThanOrEqual(0);
  const shots = process.env.LONGSHORE_SHOTS;
  if (shots) await page.screenshot({ path: `${shots}/${test.info().project.name}${what}.png` });
}

const PAGES: ReadonlyArray<readonly [name: string, path: () => string, shows: RegExp]> = [
  ["dashboard", () => "/", /Dashboard/],
  ["bundles", () => "/bundles", /Bundles/],
  ["bundle", () => `/bundles/${scene.bundle}`, /covers-for-looking-at/],
  ["activity", () => "/activity", /Activity/],
  ["activity-empty", () => "/activity?text=nothing-has-these-words", /Activity/],
  ["operation", () => `/operations/${scene.bundle}`, /covers-for-looking-at/],
  ["users", () => "/settings/users", /Users/],
  ["tokens", () => "/settings/tokens", /API tokens/],
  ["secrets", () => "/settings/secrets", /Secrets/],
  ["about", () => "/settings/about", /About/],
  ["not-found", () => "/no/such/page", /nothing at this address/],
];

const VARIANTS = (["dark", "light"] as const).flatMap((colorScheme) =>
  [1280, 400].map((width) => ({ colorScheme, width, name: `${colorScheme}-${width}` })),
);

for (const [name, path, shows] of PAGES) {
  test(`${name} is sound in both schemes and widths`, async ({ page }) => {
    await page.goto(path());
    await expect(page.getByRole("heading", { name: shows }).first()).toBeVisible();
    await expect(page.getByRole("status").filter({ hasText: /^Reading/ })).toHaveCount(0);
    for (const { colorScheme, width, name: variant } of VARIANTS) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", colorScheme);
      await isSound(page, `${name}-${variant}`);
    }
  });
}

for (const { colorScheme, width, name: variant } of VARIANTS) {
  test.describe(variant, () => {
    test.use({ colorScheme, viewport: { width, height: 800 } });

    test("overlays are sound", async ({ page }) => {
      await page.goto("/activity");
      await expect(page.getByRole("row").nth(1)).toBeVisible();
      await page.keyboard.press("Control+k");
      await expect(page.getByRole("dialog")).toBeVisible();
      await isSound(page, `palette-${variant}`);
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
      await page.keyboard.press("?");
      await expect(page.getByText("Keyboard shortcuts")).toBeVisible();
      await isSound(page, `keys-${variant}`);
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
      await page.getByRole("button", { name: /^User menu/ }).click();
      await expect(page.getByRole("menuitem", { name: "Log out" })).toBeVisible();
      await isSound(page, `user-menu-${variant}`);
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: /Nothing runs|running$/ }).click();
      await expect(page.getByRole("dialog")).toBeVisible();
      await isSound(page, `running-${variant}`);
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
      await page.goto(`/activity?open=${scene.bundle}`);
      await expect(page.getByRole("dialog").getByLabel("Log lines")).toBeVisible();
      await isSound(page, `operation-drawer-${variant}`);
      await page.goto(`/bundles/${scene.bundle}`);
      await page.getByRole("button", { name: "Delete" }).click();
      await expect(
        page.getByRole("button", { name: "Delete covers-for-looking-at.zip" }),
      ).toBeVisible();
      await isSound(page, `delete-${variant}`);
    });
  });
}

test.describe("log-in", () => {
  test.use({
    storageState: { cookies: [], origins: [] },
    expectedComplaints: /status of 401/,
  });
  for (const colorScheme of ["dark", "light"] as const) {
    for (const width of [1280, 400]) {
      test(`is sound in ${colorScheme} at ${width}`, async ({ page }) => {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await page.goto("/login");
        await expect(page.getByLabel("User name")).toBeVisible();
        await isSound(page, `login-${colorScheme}-${width}`);
      });
    }
  }
});
