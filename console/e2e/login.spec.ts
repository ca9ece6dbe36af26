import { expect, test } from "./support/test.ts";

test.use({
  storageState: { cookies: [], origins: [] },
  // The browser notes each refused request by itself.
  expectedComplaints: /status of 401/,
});

test("a page asked for without a session comes back after logging in", async ({ page }) => {
  await page.goto("/activity?state=failed");
  await expect(page).toHaveURL(/\/login\?to=/);
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password", { exact: true }).fill("not the password");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toContainText("do not belong together");
  await page.getByLabel("Password", { exact: true }).fill(process.env.LONGSHORE_PASSWORD ?? "");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/activity\?state=failed$/);
  await expect(page.getByRole("heading", { name: "Activity" })).toBeVisible();
});

test("logging out ends the session", async ({ page }) => {
  await page.goto("/login");
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password", { exact: true }).fill(process.env.LONGSHORE_PASSWORD ?? "");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "User menu of admin" }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto("/bundles");
  await expect(page).toHaveURL(/\/login\?to=/);
});
