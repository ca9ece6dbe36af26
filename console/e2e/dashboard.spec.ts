// The dashboard while it is read, and what lists that are empty lead to.
import { isSound } from "./support/sound.ts";
import { expect, test, unique } from "./support/test.ts";

test("the first steps have their place before it is known which are done", async ({ page }) => {
  let release = () => {};
  const released = new Promise<void>((done) => {
    release = done;
  });
  await page.route(/\/api\/v1\/tokens(\?.*)?$/, async (route) => {
    await released;
    await route.fulfill({ json: { items: [] } });
  });
  await page.goto("/");
  const steps = page.getByRole("region", { name: "First steps" });
  await expect(steps.getByLabel("Not known yet").first()).toBeVisible();
  const running = page.getByRole("region", { name: "Running now" });
  await expect(running.getByText("Asking what runs…")).toHaveCount(0);
  const before = await running.boundingBox();
  release();
  await expect(steps.getByLabel("To do").first()).toBeVisible();
  expect((await running.boundingBox())?.y).toBe(before?.y);
});

test("a search without a hit and a trash that is not kept lead on", async ({ page, api }) => {
  const bucket = unique("leads");
  await api.change("/api/v1/buckets", { name: bucket, settings: { trash_seconds: 0 } });
  await api.putFile("here.txt", "here", "text/plain", bucket);
  await page.goto(`/files/${bucket}?q=nothinglikeit`);
  await page.getByRole("link", { name: "Show the folder" }).click();
  await expect(page.getByRole("link", { name: /^here/ })).toBeVisible();
  await expect(page.getByRole("searchbox")).toHaveValue("");
  await page.goto(`/files/${bucket}?view=trash`);
  await page.getByRole("link", { name: "Change what it keeps" }).click();
  await expect(page.getByLabel("Days in the trash")).toBeVisible();
});

test("what a fresh server has none of yet says the next step", async ({ page }) => {
  await page.route(/\/api\/v1\/(bundles|operations)\?/, (route) =>
    route.fulfill({ json: { items: [], next: null } }),
  );
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto("/bundles");
  await expect(page.getByText(/^No bundle has been made yet\. Paste addresses/)).toBeVisible();
  await expect(page.getByText("longshore bundle list.txt -o files.zip")).toBeVisible();
  await expect(page.getByRole("button", { name: "Copy command" })).toBeVisible();
  await isSound(page, "bundles-none-yet");
  await page.goto("/activity");
  await expect(page.getByText("Nothing has happened yet.")).toBeVisible();
  await isSound(page, "activity-none-yet");
  await page.getByRole("main").getByRole("link", { name: "Make a bundle" }).click();
  await expect(page).toHaveURL(/\/bundles$/);
});
