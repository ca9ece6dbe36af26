import { readFile } from "node:fs/promises";
import { expect, held, origin, release, sources, test, unique } from "./support/test.ts";

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
  await expect(page).toHaveTitle(/^Activity/);
});

test("new operations wait until they are asked for; running ones change in place", async ({
  page,
  api,
}) => {
  const both = unique("both");
  const [early, late] = [`${both}-early`, `${both}-late`];
  const first = await api.makeBundle(early, held(6, both));
  await page.goto(`/activity?text=${both}`);
  const row = page.getByRole("row").filter({ hasText: early });
  await expect(row).toContainText(/Running|Queued/);
  const second = await api.makeBundle(late, sources(1));
  await expect(page.getByRole("button", { name: "1 new" })).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: late })).toHaveCount(0);
  await release(both);
  await expect(row).toContainText("Succeeded");
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

test("an old operation that comes into the filter is counted as new", async ({ page, api }) => {
  const name = unique("about-to-fail");
  const { id } = await api.makeBundle(name, [origin(`x?size=2048&status=404`), ...held(1, name)]);
  await page.goto(`/activity?state=cancelled&text=${name}`);
  await expect(page.getByText("No operation matches these filters")).toBeVisible();
  await api.cancel(id);
  await page.getByRole("button", { name: "1 new" }).click();
  await expect(page.getByRole("row").nth(1)).toContainText(name);
  await release(name);
});
