// Dark and light, as somebody chose.
import { expect, test } from "./support/test.ts";

test("the colours that somebody chose are there at once and stay", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/bundles");
  const html = page.locator("html");
  const scheme = "data-mantine-color-scheme";
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const choose = async (before: string, name: string) => {
    await page.getByRole("button", { name: `Colours: ${before}` }).click();
    await page.getByRole("menuitem", { name }).click();
  };
  await expect(html).toHaveAttribute(scheme, "light");
  const light = await ground();

  await choose("like the system", "Dark");
  await expect(html).toHaveAttribute(scheme, "dark");
  expect(await ground()).not.toBe(light);
  await page.reload();
  await expect(page.getByRole("button", { name: "Colours: dark" })).toBeVisible();
  await expect(html).toHaveAttribute(scheme, "dark");
  expect(await ground()).not.toBe(light);

  // Somebody's choice is stronger than the system's, until it is given back.
  await choose("dark", "Light");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.reload();
  await expect(page.getByRole("button", { name: "Colours: light" })).toBeVisible();
  await expect(html).toHaveAttribute(scheme, "light");
  expect(await ground()).toBe(light);
  await choose("light", "Like the system");
  await expect(html).toHaveAttribute(scheme, "dark");

  // Who wants nothing to move has nothing moving.
  const lasts = () =>
    page.evaluate(() => {
      const moved = document.createElement("div");
      moved.style.transition = "opacity 300ms";
      moved.style.animation = "none 300ms infinite";
      document.body.append(moved);
      const style = getComputedStyle(moved);
      const seconds = [style.transitionDuration, style.animationDuration].map(Number.parseFloat);
      const times = style.animationIterationCount;
      moved.remove();
      return { longest: Math.max(...seconds), times };
    });
  await page.emulateMedia({ reducedMotion: "no-preference" });
  expect(await lasts()).toEqual({ longest: 0.3, times: "infinite" });
  await page.emulateMedia({ reducedMotion: "reduce" });
  expect(await lasts()).toEqual({ longest: 0.00001, times: "1" });
});
