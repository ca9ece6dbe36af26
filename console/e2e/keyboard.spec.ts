// The whole way without a mouse: from the keys that change section to the zip.
import { expect, sources, test, unique } from "./support/test.ts";

test("a bundle is made and saved with the keyboard alone", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Dashboard" })).toBeVisible();
  await page.keyboard.press("g");
  await page.keyboard.press("b");
  await expect(page).toHaveURL(/\/bundles$/);
  await expect(page.getByLabel("Addresses")).toBeVisible();
  await page.keyboard.press("/");
  await expect(page.getByLabel("Addresses")).toBeFocused();
  await page.keyboard.insertText(sources(3).join("\n"));
  await expect(page.getByRole("button", { name: "Fetch 3 files" })).toBeEnabled();
  await page.keyboard.press("Control+Enter");
  const save = page.getByRole("link", { name: /^Download zip/ });
  await expect(save).toBeVisible();
  for (let i = 0; i < 30; i += 1) {
    if (await save.evaluate((link) => link === document.activeElement)) break;
    await page.keyboard.press("Tab");
  }
  await expect(save).toBeFocused();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.keyboard.press("Enter"),
  ]);
  expect(download.suggestedFilename()).toMatch(/\.zip$/);
});

test("keys do nothing inside a field, and focus returns from the palette", async ({ page }) => {
  await page.goto("/bundles");
  const field = page.getByLabel("Addresses");
  await field.focus();
  await page.keyboard.type("ga?/");
  await expect(field).toHaveValue("ga?/");
  await expect(page).toHaveURL(/\/bundles$/);
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(field).toBeFocused();
});

// Who changes their mind at once presses Escape before the dialog has taken the focus.
test("focus returns from a palette that is closed as it opens", async ({ page }) => {
  await page.goto("/bundles");
  const field = page.getByLabel("Addresses");
  await field.focus();
  await field.evaluate((field) => {
    const press = (key: string, ctrlKey: boolean) =>
      field.dispatchEvent(new KeyboardEvent("keydown", { key, ctrlKey, bubbles: true }));
    return new Promise<void>((closed) => {
      const opening = new MutationObserver(() => {
        if (!document.querySelector("[role=dialog]")) return;
        opening.disconnect();
        press("Escape", false);
        closed();
      });
      opening.observe(document.body, { childList: true, subtree: true });
      press("k", true);
    });
  });
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(field).toBeFocused();
});

test("the palette goes anywhere, finds operations and runs actions", async ({ page, api }) => {
  const name = unique("palette");
  const { id } = await api.makeBundle(name, sources(1));
  await api.ended(id);
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Dashboard" })).toBeVisible();
  const search = page.getByLabel("Search commands and operations");
  await page.keyboard.press("Control+k");
  await expect(search).toBeFocused();
  await page.keyboard.type("setti");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/settings/);
  await page.keyboard.press("Control+k");
  await expect(search).toBeFocused();
  await page.keyboard.type(name);
  await page
    .getByRole("button", { name: new RegExp(name) })
    .first()
    .waitFor();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/operations/${id}`));

  const run = async (words: string) => {
    await page.keyboard.press("Control+k");
    await expect(search).toBeFocused();
    await page.keyboard.type(words);
    await page.keyboard.press("Enter");
  };
  const html = page.locator("html");
  await run("dark col");
  await expect(html).toHaveAttribute("data-mantine-color-scheme", "dark");
  await run("light col");
  await expect(html).toHaveAttribute("data-mantine-color-scheme", "light");
  await run("failed operations");
  await expect(page).toHaveURL(/\/activity\?.*state=failed/);
  await run("new bundle");
  await expect(page).toHaveURL(/\/bundles$/);
  await run("keyboard short");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
});
