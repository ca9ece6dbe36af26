// The tree of operations that one started.
import { makeParts } from "./support/parts.ts";
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
