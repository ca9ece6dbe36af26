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

  const nothing = page.getByText("No operation matches these filters");
  const choose = async (filter: string, word: string) => {
    await page.getByRole("combobox", { name: filter, exact: true }).click();
    await page.getByRole("option", { name: word, exact: true }).click();
  };
  await choose("Kind", "Make a bundle");
  await expect(page).toHaveURL(/kind=bundle/);
  await choose("Trigger", "A schedule");
  await expect(page).toHaveURL(/trigger=schedule/);
  await expect(nothing).toBeVisible();
  // Whether the scene was set by a person or the API, it was by no schedule.
  await choose("Trigger", "A schedule");
  await expect(page).not.toHaveURL(/trigger=/);
  await expect(page.getByRole("row")).toHaveCount(2);
  const by = page.getByRole("textbox", { name: "By", exact: true });
  await by.fill("user:nobody");
  await expect(page).toHaveURL(/actor=user(:|%3A)nobody/);
  await expect(nothing).toBeVisible();
  await by.fill("");
  await expect(page.getByRole("row")).toHaveCount(2);
  const server = page.getByRole("textbox", { name: "Server", exact: true });
  await server.fill("hel-1");
  await expect(page).toHaveURL(/server=hel-1/);
  await expect(nothing).toBeVisible();
  await server.fill("");
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

test("rows of two lines are sorted, too, and Tab stops at nothing that is not seen", async ({
  page,
  api,
}) => {
  const name = unique("narrow");
  for (const part of ["first", "second"]) {
    await api.ended((await api.makeBundle(`${name}-${part}`, sources(1))).id);
  }
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto(`/activity?text=${name}`);
  const rows = page.getByRole("row").filter({ hasText: name });
  await expect(rows.nth(0)).toContainText("second");
  await page.getByRole("button", { name: "Sort the other way: ascending" }).click();
  await expect(page).toHaveURL(/order=asc/);
  await expect(rows.nth(0)).toContainText("first");
  await page.getByRole("combobox", { name: "Sort by" }).click();
  await page.getByRole("option", { name: "By state" }).click();
  await expect(page).toHaveURL(/sort=state/);
  await expect(page.getByRole("columnheader", { name: "State" })).toHaveAttribute(
    "aria-sort",
    "ascending",
  );

  const focused = () =>
    page.evaluate(() => {
      const at = document.activeElement ?? document.body;
      const { left, top, width, height } = at.getBoundingClientRect();
      const hit = document.elementFromPoint(left + width / 2, top + height / 2);
      const inRow = at.matches("[role=row] a");
      const large = width >= 24 && height >= 24;
      return { inRow, seen: at.contains(hit) && (inRow || large) };
    });
  await page.getByLabel("Search titles, subjects and errors").focus();
  let stops = 0;
  do {
    await page.keyboard.press("Tab");
    stops += 1;
    await expect.poll(async () => (await focused()).seen, `stop ${stops} of Tab`).toBe(true);
  } while (!(await focused()).inRow && stops < 20);
  expect((await focused()).inRow, "Tab reaches the rows").toBe(true);
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

test("an operation is new from when it comes into the filter until it leaves it", async ({
  page,
  api,
}) => {
  const name = unique("about-to-fail");
  const fresh = page.getByRole("button", { name: "1 new" });
  const { id } = await api.makeBundle(name, [origin(`x?size=2048&status=404`), ...held(1, name)]);
  await page.goto(`/activity?state=cancelled&text=${name}`);
  await expect(page.getByText("No operation matches these filters")).toBeVisible();
  await api.cancel(id);
  await fresh.click();
  await expect(page.getByRole("row").nth(1)).toContainText(name);

  await page.goto(`/activity?state=running&text=${name}`);
  await expect(page.getByText("No operation matches these filters")).toBeVisible();
  const again = await api.makeBundle(name, held(1, name));
  await expect(fresh).toBeVisible();
  await api.cancel(again.id);
  await expect(fresh).toHaveCount(0);
  await expect(page.getByText("No operation matches these filters")).toBeVisible();
  await release(name);
});
