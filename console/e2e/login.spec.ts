import type { Page } from "@playwright/test";
import { expect, sources, test } from "./support/test.ts";

test.use({
  storageState: { cookies: [], origins: [] },
  // The browser notes each refused request by itself.
  expectedComplaints: /status of 401/,
});

async function logIn(page: Page) {
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password", { exact: true }).fill(process.env.LONGSHORE_PASSWORD ?? "");
  await page.keyboard.press("Enter");
}

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
  await page.keyboard.press("Control+k");
  await expect(page.getByLabel("Search commands and operations")).toBeFocused();
  await page.keyboard.type("log out");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/login/);
});

test.describe("where the server refuses", () => {
  test.use({ expectedComplaints: /status of (401|429|503)/ });

  test("logging out ends the session, and says so until it does", async ({ page }) => {
    const session = /\/api\/v1\/session$/;
    await page.goto("/login");
    await page.route(session, (route) =>
      route.request().method() === "POST"
        ? route.fulfill({ status: 429, headers: { "Retry-After": "30" }, json: problem(429) })
        : route.continue(),
    );
    await logIn(page);
    await expect(page.getByRole("alert")).toHaveText(
      "Too many attempts from here. Try again in 30 s.",
    );
    await page.unroute(session);
    await logIn(page);

    const leave = async () => {
      await page.getByRole("button", { name: "User menu of admin" }).click();
      await page.getByRole("menuitem", { name: "Log out" }).click();
    };
    await page.route(session, (route) =>
      route.request().method() === "DELETE"
        ? route.fulfill({ status: 503, json: problem(503) })
        : route.continue(),
    );
    await leave();
    const failed = page.getByRole("dialog", { name: "Logging out failed" });
    await expect(failed.getByText("The tide was out.")).toBeVisible();
    await expect(failed.getByRole("button", { name: "Copy error" })).toBeVisible();
    await page.unroute(session);
    await failed.getByRole("button", { name: "Try again" }).click();
    await expect(page).toHaveURL(/\/login/);
    await page.goto("/bundles");
    await expect(page).toHaveURL(/\/login\?to=/);
  });
});

test.describe("where the session ends elsewhere", () => {
  test.use({ expectedComplaints: /status of 401|WebSocket connection .* failed/ });

  test("what was being filled in is there after logging in anew", async ({ page }) => {
    await page.goto("/bundles");
    await logIn(page);
    await expect(page).toHaveURL(/\/bundles$/);
    await page.locator("input[type=file]").setInputFiles({
      name: "covers.txt",
      mimeType: "text/plain",
      buffer: Buffer.from(sources(3).join("\n")),
    });
    await page.getByRole("button", { name: "Options" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("covers-may");
    await expect(page.getByText("Live", { exact: true })).toBeVisible();
    const { csrf } = await (await page.request.get("/api/v1/session")).json();
    const ended = await page.request.delete("/api/v1/session", {
      headers: { "X-CSRF-Token": csrf },
    });
    expect(ended.ok()).toBe(true);
    await expect(page).toHaveURL(/\/login\?to=.*bundles$/);
    await logIn(page);
    await expect(page).toHaveURL(/\/bundles$/);
    await expect(page.getByText("covers.txt")).toBeVisible();
    await expect(page.getByRole("button", { name: "Fetch 3 files" })).toBeEnabled();
    await expect(page.getByRole("textbox", { name: "Name" })).toHaveValue("covers-may");
  });
});

function problem(status: number) {
  return { status, code: "refused", title: "Refused", detail: "The tide was out." };
}
