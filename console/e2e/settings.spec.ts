import { isSound } from "./support/sound.ts";
import { expect, test, unique } from "./support/test.ts";

test("the record is filtered in the address", async ({ page, api }) => {
  const name = unique("recorded");
  await api.change("/api/v1/users", { name, role: "viewer", password: "a long enough password" });
  await page.goto("/settings/audit");
  await page.getByLabel("Subject").fill(`user:${name}`);
  await expect(page).toHaveURL(/subject=/);
  await expect(page.getByText("user.created")).toHaveCount(1);
  await page.getByText("What changed").click();
  await expect(page.getByText(/After: /)).toBeVisible();
  await isSound(page, "audit-entry");
  await page.reload();
  await expect(page.getByText("user.created")).toHaveCount(1);
  await page.getByRole("button", { name: "Clear filters" }).click();
  await expect(page).toHaveURL(/\/settings\/audit$/);
});

test("a role is shown as it is until the server has changed it", async ({ page, api }) => {
  const name = unique("promoted");
  await api.change("/api/v1/users", { name, role: "viewer", password: "a long enough password" });
  let answer = () => {};
  const held = new Promise<void>((resume) => {
    answer = resume;
  });
  await page.route(`**/api/v1/users/${name}`, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto("/settings/users");
  const role = page.getByRole("combobox", { name: `Role of ${name}` });
  await role.click();
  await page.getByRole("option", { name: "Operator" }).click();
  await expect(page.getByText("Changing…")).toBeVisible();
  await expect(role).toHaveValue("Viewer");
  answer();
  await expect(role).toHaveValue("Operator");
  await expect(page.getByText("Changing…")).toHaveCount(0);
});

test("a schedule is listed with its next runs, and switched off", async ({ page }) => {
  const schedule = {
    id: "00000000-0000-7000-8000-000000000001",
    name: "nightly",
    kind: "sync",
    title: "Deliver what is new",
    input: { rule: "covers" },
    cron: "0 3 * * *",
    zone: "Europe/Berlin",
    words: "every day at 03:00",
    missed: "run_once",
    enabled: true,
    created_by: "user:admin",
    created_at: "2026-11-20T10:00:00Z",
    next_runs: ["2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"],
  };
  const sent: unknown[] = [];
  await page.route(/\/api\/v1\/schedules(\/[0-9a-f-]{36})?$/, async (route) => {
    if (route.request().method() === "PATCH") {
      sent.push(route.request().postDataJSON());
      Object.assign(schedule, route.request().postDataJSON());
      await route.fulfill({ json: schedule });
    } else {
      await route.fulfill({ json: { items: [schedule] } });
    }
  });
  await page.goto("/settings/schedules");
  await expect(page.getByText(/every day at 03:00 \(Europe\/Berlin\)/)).toBeVisible();
  await expect(page.getByText(/Next, in your time: /)).toBeVisible();
  await isSound(page, "schedules-filled");
  await page.getByRole("switch", { name: "nightly runs" }).press("Space");
  await expect(page.getByText("It is off.")).toBeVisible();
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("When").fill("0 4 * * *");
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByRole("button", { name: "Save changes" })).toHaveCount(0);
  expect(sent).toEqual([{ enabled: false }, { cron: "0 4 * * *", zone: "Europe/Berlin" }]);
});
