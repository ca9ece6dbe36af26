// The tree of operations that one started.
import { makeParts, type PutOperation, putOperations } from "./support/parts.ts";
import { expect, test, unique } from "./support/test.ts";

test("the parts of an operation are a tree that unfolds where it goes deeper", async ({
  page,
  server,
}) => {
  const name = unique("parts");
  const id = await makeParts(server, name, 52);
  test.skip(id === null, "the server's database is not at hand");
  await page.goto(`/operations/${id}`);
  const parts = page.getByRole("region", { name: "Parts" });
  const part = (words: string) =>
    parts.getByRole("link", { name: `${name} ${words}`, exact: true });
  const fold = (words: string) =>
    parts.getByRole("button", { name: `Parts of ${name} ${words}`, exact: true });

  await expect(part("part 01")).toBeVisible();
  await expect(parts.getByText("The tide was out.")).toBeVisible();
  await expect(parts.getByRole("link")).toHaveCount(50);
  await parts.getByRole("button", { name: "Show more parts" }).click();
  await expect(parts.getByRole("link")).toHaveCount(52);
  await expect(part("part 52")).toBeVisible();
  await expect(parts.getByRole("button", { name: "Show more parts" })).toHaveCount(0);

  // What is done stays folded, and what has no parts cannot be unfolded.
  await expect(fold("part 01")).toHaveAttribute("aria-expanded", "false");
  await expect(fold("part 02")).toHaveCount(0);
  await expect(part("inner part")).toHaveCount(0);
  await fold("part 01").click();
  await expect(fold("part 01")).toHaveAttribute("aria-expanded", "true");
  await expect(part("inner part")).toBeVisible();
  await expect(part("innermost part")).toHaveCount(0);
  await fold("inner part").click();
  await expect(part("innermost part")).toBeVisible();
  await fold("part 01").click();
  await expect(part("inner part")).toHaveCount(0);

  await fold("part 01").click();
  await part("inner part").click();
  await expect(page.getByRole("heading", { level: 1, name: `${name} inner part` })).toBeVisible();
  await expect(part("innermost part")).toBeVisible();
  await expect(parts.getByRole("link")).toHaveCount(1);
});

test.describe("while it runs", () => {
  // The parts are refused once.
  test.use({ expectedComplaints: /status of 403/ });
  const name = unique("alive");
  const [one, two, three] = [`${name} one`, `${name} two`, `${name} three`] as const;
  // Whatever came of the test, nothing of it runs any more for who comes next.
  test.afterEach(({ server }) =>
    putOperations(
      server,
      [one, two, name].map((title) => ({ title, state: "succeeded" })),
    ),
  );

  test("what runs is open, what is done folds, what failed opens, and nothing is lost", async ({
    page,
    server,
  }) => {
    const put = (...operations: PutOperation[]) => putOperations(server, operations);
    const id = await put(
      { title: name, state: "running" },
      { title: one, parent: name, state: "running" },
      { title: `${one} inside`, parent: one, state: "succeeded" },
    );
    test.skip(id === null, "the server's database is not at hand");
    await page.goto(`/operations/${id}`);
    await expect(page.getByText("Live", { exact: true })).toBeVisible();
    const parts = page.getByRole("region", { name: "Parts" });
    const part = (title: string) => parts.getByRole("link", { name: title, exact: true });
    const fold = (title: string) =>
      parts.getByRole("button", { name: `Parts of ${title}`, exact: true });
    await expect(fold(one)).toHaveAttribute("aria-expanded", "true");
    await expect(part(`${one} inside`)).toBeVisible();

    await put({ title: one, state: "succeeded", seconds: 90 });
    await expect(fold(one)).toHaveAttribute("aria-expanded", "false");
    await expect(part(`${one} inside`)).toHaveCount(0);
    await expect(parts.getByText("took 1 min 30 s")).toBeVisible();

    await put(
      { title: two, parent: name, state: "running" },
      { title: `${two} inside`, parent: two, state: "failed", error: "The tide was out." },
    );
    await expect(fold(two)).toHaveAttribute("aria-expanded", "true");
    await expect(parts.getByText("The tide was out.")).toBeVisible();
    await put({ title: two, state: "failed", error: "A part of it failed." });
    await expect(parts.getByText("A part of it failed.")).toBeVisible();
    await expect(fold(two)).toHaveAttribute("aria-expanded", "true");
    await expect(parts.getByText("The tide was out.")).toBeVisible();
    // What somebody folded stays so.
    await fold(two).click();
    await expect(fold(two)).toHaveAttribute("aria-expanded", "false");

    const listed = (url: URL) =>
      url.pathname === "/api/v1/operations" && url.searchParams.get("limit") === "50";
    await page.route(listed, (route) =>
      route.fulfill({ status: 403, json: { code: "forbidden", detail: "Not now." } }),
    );
    await put({ title: three, parent: name, state: "succeeded" });
    await expect(parts.getByRole("alert")).toContainText("could not be read again");
    await expect(part(one)).toBeVisible();
    await page.unroute(listed);
    await parts.getByRole("button", { name: "Try again" }).click();
    await expect(part(three)).toBeVisible();
    await expect(parts.getByRole("alert")).toHaveCount(0);
    await expect(fold(two)).toHaveAttribute("aria-expanded", "false");
  });
});
