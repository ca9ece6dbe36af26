import { readFile } from "node:fs/promises";
import { expect, origin, sources, test, unique } from "./support/test.ts";

test("filters and sorting live in the address, and Back returns", async ({ page, api }) => {
  const name = unique("found");
  const { id } = await api.makeBundle(name, sources(2));
  await api.ended(id);
  await page.goto("/activity");
  await page.getByLabel("Search titles, subjects and errors").fill(name);
  await expect(page).toHaveURL(new RegExp(`text=${name}`));
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.reload();
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByRole("columnheader", { name: "Kind" }).getByRole("button").click();
  await expect(page).toHaveURL(/sort=kind/);
  await expect(page.getByRole("columnheader", { name: "Kind" })).toHaveAttribute(
    "aria-sort",
    "ascending",
  );
  await page.getByRole("link", { name: new RegExp(name) }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`open=${id}`));
  await page.goBack();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page).toHaveURL(/sort=kind/);
});

test("new operations wait until they are asked for; running ones change in place", async ({
  page,
  api,
}) => {
  const [early, late] = [unique("early"), unique("late")];
  const first = await api.makeBundle(early, sources(6, "?size=8192&trickle=300"));
  await page.goto("/activity");
  const row = page.getByRole("row").filter({ hasText: early });
  await expect(row).toContainText(/Running|Queued/);
  const second = await api.makeBundle(late, sources(1));
  await expect(page.getByRole("button", { name: "1 new" })).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: late })).toHaveCount(0);
  await expect(row).toContainText("Succeeded", { timeout: 30_000 });
  await page.getByRole("button", { name: "1 new" }).click();
  await expect(page.getByRole("row").nth(1)).toContainText(late);
  await Promise.all([api.ended(first.id), api.ended(second.id)]);
});

test("the filtered list is exported", async ({ page, api }) => {
  const { id } = await api.makeBundle("exported", sources(1));
  await api.ended(id);
  await page.goto("/activity?text=exported");
  await page.getByRole("button", { name: "Export" }).click();
  const [csv] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "This list as CSV" }).click(),
  ]);
  const lines = (await readFile(await csv.path(), "utf8")).trim().split("\r\n");
  expect(lines[0]).toContain("id,kind,title");
  expect(lines.some((line) => line.startsWith(id))).toBe(true);
  await page.getByRole("button", { name: "Export" }).click();
  const [json] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "This list as JSON" }).click(),
  ]);
  const list = JSON.parse(await readFile(await json.path(), "utf8"));
  expect(list.map((operation: { id: string }) => operation.id)).toContain(id);
});

test("a failed operation keeps its error on its page, to be copied", async ({ page, api }) => {
  const { id } = await api.makeBundle("nothing-usable", [origin("gone.jpg?status=404")]);
  expect(await api.ended(id)).toBe("failed");
  await page.goto(`/operations/${id}`);
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("It failed");
  await expect(alert.getByRole("button", { name: "Copy error" })).toBeVisible();
  await page.getByRole("button", { name: "Run again" }).click();
  await expect(page.getByText(/^(Queued|Running|Failed) as/)).toBeVisible();
});
