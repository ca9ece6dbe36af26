// Syncs from the form to the file that is there, with the server's own answers: tried, made,
// changed, made like another, run, failed, tried again, compared, deleted.
import type { Page } from "@playwright/test";
import { isSound } from "./support/sound.ts";
import { type Api, expect, origin, test, unique } from "./support/test.ts";

async function choose(page: Page, part: string, field: string, option: string) {
  const within = page.getByRole("group", { name: part, exact: true });
  await within.getByRole("combobox", { name: field, exact: true }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

async function makeBuckets(api: Api) {
  const from = unique("shoots");
  const to = unique("shown");
  for (const name of [from, to]) await api.change("/api/v1/buckets", { name });
  await api.putFile("covers/may.png", "not quite a picture", "image/png", from);
  await api.putFile("covers/june.png", "and another", "image/png", from);
  await api.putFile("notes/read-me.txt", "a note", "text/plain", from);
  return { from, to };
}

// The browser notes what the server refuses.
test.use({ expectedComplaints: /status of 400/ });

test("a sync is made by the form, delivers, fails, is changed, and tries again", async ({
  page,
  api,
}) => {
  const { from, to } = await makeBuckets(api);
  const name = unique("made");
  await page.goto("/syncs");
  await page.getByRole("link", { name: "New sync" }).click();
  await expect(page.getByRole("heading", { name: "New sync" })).toBeVisible();
  await page.getByRole("button", { name: "Create sync" }).click();
  await expect(page.getByText("Give a name")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Name", exact: true })).toBeFocused();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await page.getByRole("switch", { name: "Begin paused" }).press("Space");
  await choose(page, "From", "Bucket", from);
  await choose(page, "To all", "Bucket", to);
  // How many files it means is counted as one types.
  const source = page.getByRole("group", { name: "From" });
  await expect(source.getByText("3 files are there now.")).toBeVisible();
  await expect(page.getByText("Gets 3 of 3 files.")).toBeVisible();
  await source.getByLabel("Only below").fill("covers/");
  await expect(source.getByText("2 files are there now.")).toBeVisible();
  await source.getByLabel("Only below").fill("");
  const all = page.getByRole("group", { name: "To all" });
  await all.getByLabel("Target's name").fill("pictures");
  const pictures = page.getByRole("group", { name: "To pictures" });
  await pictures.getByLabel("Files of these types").fill("image");
  await page.getByRole("button", { name: "Add a target" }).click();
  await choose(page, "To target-2", "Target", "A webhook");
  await page
    .getByRole("group", { name: "To target-2" })
    .getByLabel("Address")
    .fill(origin("refuses?status=400"));
  await page.getByRole("button", { name: "Create sync" }).click();
  // What the server finds is shown at its field, which has the focus.
  const types = pictures.getByLabel("Files of these types");
  await expect(pictures.getByText("`image` is no media type")).toBeVisible();
  await expect(types).toBeFocused();
  await expect(pictures.getByText("Gets 0 of 3 files.")).toBeVisible();
  await types.fill("image/*");
  await expect(pictures.getByText("Gets 2 of 3 files.")).toBeVisible();
  await expect(
    page
      .getByRole("group", { name: "To target-2" })
      .getByText("Gets 1 of 3 files; 2 more fit, and go to an earlier target."),
  ).toBeVisible();
  // Before it is saved it may be tried; what is told is gone with the next change.
  const planned = page.getByText("Dry run, nothing was changed: 3 files would be sent");
  await page.getByRole("button", { name: "Dry run" }).click();
  await expect(planned).toBeVisible();
  await expect(page.getByText("2 to pictures, 1 to target-2.")).toBeVisible();
  await isSound(page, "new-sync-tried");
  await source.getByLabel("Only below").fill("covers/");
  await expect(planned).toHaveCount(0);
  await source.getByLabel("Only below").fill("");
  await page.getByRole("button", { name: "Create sync" }).click();
  await expect(page).toHaveURL(new RegExp(`/syncs/${name}$`));

  await page.getByRole("button", { name: "Dry run" }).click();
  await expect(planned).toBeVisible();
  await expect(page.getByText("2 to pictures, 1 to target-2.")).toBeVisible();
  await expect(page.getByText("It is paused: resume it to run it for real.")).toBeVisible();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("button", { name: "Run for real" }).click();
  await expect(planned).toHaveCount(0);
  const files = page.getByRole("list", { name: "Files" }).getByRole("listitem");
  const states = page.getByRole("group", { name: "State" });
  await expect(states.getByText("Delivered 2")).toBeVisible();
  await expect(states.getByText("Failed 1")).toBeVisible();
  expect((await api.fileContent("covers/may.png", to))?.toString()).toBe("not quite a picture");
  await states.getByText("Failed 1").click();
  await expect(page).toHaveURL(/state=failed/);
  await expect(files).toHaveCount(1);
  await expect(files).toContainText("read-me.txt");
  await expect(files).toContainText("400");
  await expect(files).toContainText("waits for somebody to retry it");
  await isSound(page, "sync-files-real");

  await page.getByRole("tab", { name: "Passes" }).click();
  const passes = page.getByRole("list", { name: /^Passes of/ }).getByRole("listitem");
  await expect(passes.filter({ hasText: "2 delivered, 1 failed" })).toHaveCount(1);
  const chart = page.getByRole("img", { name: /^Files of \d+ pass(es)?: 2 delivered, 1 failed$/ });
  await expect(chart).toBeVisible();
  await expect(page.getByRole("img", { name: /^Throughput of .* at most .*B\/s$/ })).toBeVisible();
  await isSound(page, "sync-passes-real");
  await chart.hover();
  await expect(page.getByText(/: 2 delivered, 1 failed/).first()).toBeVisible();
  await chart.click();
  await expect(page).toHaveURL(/\/operations\//);
  await page.goBack();

  await page.getByRole("tab", { name: "Rule" }).click();
  await page.getByRole("link", { name: "Edit rule" }).click();
  await expect(page).toHaveURL(/edit=true/);
  const told = page.getByRole("group", { name: "To target-2" });
  await expect(page.getByRole("button", { name: "Nothing is changed" })).toBeVisible();
  await told.getByLabel("Address").fill(origin("takes"));
  await expect(page.getByLabel("What will change")).toContainText("targets[1].to.url");
  await page.locator("form").getByRole("button", { name: "Dry run" }).click();
  await expect(page.locator("form").getByText("3 are known already.")).toBeVisible();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("link", { name: "Edit rule" })).toBeVisible();

  await page.getByRole("tab", { name: "Files" }).click();
  await page.getByRole("button", { name: "Retry 1 failed" }).click();
  await expect(states.getByText("Delivered 3")).toBeVisible();
  await expect(states.getByText(/^Failed/)).toHaveCount(0);

  // What somebody took away at the target is seen by comparing, and delivered once more.
  await api.deleteFile("covers/may.png", to);
  await page.getByRole("button", { name: "Verify", exact: true }).click();
  const going = (title: string) => page.getByRole("link", { name: title, exact: true });
  await expect(going(`Compare the sync ${name} with its targets`)).toBeVisible();
  const gone = files.filter({ hasText: "the target has it no more" });
  await expect(gone).toHaveCount(1);
  await expect(gone).toContainText("may.png");
  await page.getByRole("button", { name: "Deliver may.png again" }).click();
  const there = async () => (await api.fileContent("covers/may.png", to))?.toString();
  await expect.poll(there).toBe("not quite a picture");
  await expect(gone).toHaveCount(0);
  await page.getByRole("button", { name: "Run now" }).click();
  await expect(going(`Sync ${name}`)).toBeVisible();
});

test("a sync is made like another, and deleted by its name", async ({ page, api }) => {
  const { from, to } = await makeBuckets(api);
  const name = unique("first");
  await api.put("/api/v1/secrets/SYNC_REPORT_KEY", { value: "kept to itself" });
  await api.change("/api/v1/syncs", {
    name,
    paused: true,
    rule: {
      source: { kind: "bucket", bucket: from, prefix: "covers/" },
      targets: [
        {
          name: "pictures",
          when: { types: ["image/*"], max_size: 10_000_000, metadata: { album: "blue" } },
          to: { kind: "bucket", bucket: to, key: "copies/{key}/{name}" },
        },
      ],
      schedule: "0 3 * * *",
      zone: "Europe/Berlin",
      report: { url: "https://example.org/told", secret: "SYNC_REPORT_KEY" },
    },
  });
  await page.goto(`/syncs/${name}`);
  await page.getByRole("link", { name: "Duplicate" }).click();
  await expect(page).toHaveURL(new RegExp(`/new-sync\\?like=${name}$`));
  const pictures = page.getByRole("group", { name: "To pictures" });
  await expect(pictures.getByLabel("At most")).toHaveValue("10 MB");
  await expect(pictures.getByLabel("Metadata", { exact: true })).toHaveValue("album = blue");
  await expect(pictures.getByLabel("Path there")).toHaveValue("copies/{key}/{name}");
  await expect(page.getByLabel("By the clock")).toHaveValue("0 3 * * *");
  await expect(page.getByRole("combobox", { name: "Reports signed with" })).toHaveValue(
    "SYNC_REPORT_KEY",
  );
  await page.getByRole("link", { name: "All syncs" }).click();
  await expect(page.getByRole("heading", { name: "Syncs" })).toBeVisible();
  await page.goBack();
  const copy = unique("second");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(copy);
  await page.getByRole("link", { name: "All syncs" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stay here" }).click();
  await page.getByRole("button", { name: "Create sync" }).click();
  await expect(page).toHaveURL(new RegExp(`/syncs/${copy}$`));

  await page.getByRole("button", { name: `Delete ${copy}` }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("What it delivered stays where it is");
  await dialog.getByRole("button", { name: `Delete ${copy}` }).click();
  await expect(page).toHaveURL(/\/syncs$/);
  await expect(page.getByRole("link", { name, exact: true })).toBeVisible();
  await expect(page.getByRole("link", { name: copy, exact: true })).toHaveCount(0);
});

test("who gets an e-mail and the uploader's column are kept, and seen again", async ({
  page,
  api,
}) => {
  await api.put("/api/v1/secrets/THEIR_STORE", { value: "kept to itself" });
  const { to } = await makeBuckets(api);
  const name = unique("told");
  await page.goto("/new-sync");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await page.getByRole("switch", { name: "Begin paused" }).press("Space");
  await choose(page, "From", "Source", "Rows of a Postgres table, and a store");
  await choose(page, "From", "Database", "THEIR_STORE");
  const source = page.getByRole("group", { name: "From" });
  await source.getByLabel("Endpoint").fill("https://store.example.org");
  await source.getByLabel("Bucket there").fill("media");
  await source.getByLabel("Access key").fill("AK");
  await choose(page, "From", "Its secret", "THEIR_STORE");
  await source.getByRole("button", { name: "Table and columns" }).click();
  const uploader = page.getByLabel("Column of the uploader");
  await uploader.fill("uploadedBy");
  await choose(page, "To all", "Bucket", to);
  await page.getByRole("button", { name: "Tell somebody how passes went" }).click();
  const readers = page.getByLabel("People who get an e-mail");
  await readers.fill("anna@example.org, ben");
  await page.getByRole("button", { name: "Create sync" }).click();
  // The server names the second of them; both have one field.
  await expect(readers).toHaveAccessibleDescription(/ben: it is no address of mail/);
  await expect(readers).toBeFocused();
  await readers.fill("anna@example.org, ben@example.org");
  await page.getByRole("button", { name: "Create sync" }).click();
  await expect(page).toHaveURL(new RegExp(`/syncs/${name}$`));

  await page.getByRole("tab", { name: "Rule" }).click();
  await expect(page.getByText("anna@example.org, ben@example.org")).toBeVisible();
  await page.getByRole("link", { name: "Edit rule" }).click();
  await expect(readers).toHaveValue("anna@example.org, ben@example.org");
  await source.getByRole("button", { name: "Table and columns" }).click();
  await expect(uploader).toHaveValue("uploadedBy");
  await uploader.fill("owner");
  await expect(page.getByLabel("What will change")).toContainText(
    "source.table.columns.creator: uploadedBy → owner",
  );
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("link", { name: "Edit rule" }).click();
  await source.getByRole("button", { name: "Table and columns" }).click();
  await expect(uploader).toHaveValue("owner");
});

test("every kind of source and target has its fields", async ({ page, api }) => {
  await api.put("/api/v1/secrets/STORE_KEY", { value: "kept to itself" });
  await page.goto("/new-sync");
  await choose(page, "From", "Source", "Rows of a Postgres table, and a store");
  await choose(page, "From", "Database", "STORE_KEY");
  await page.getByRole("button", { name: "Table and columns" }).click();
  await expect(page.getByLabel("Column of the mark")).toHaveValue("copiedToCloudflare");
  await choose(page, "To all", "Target", "Cloudflare Images");
  await choose(page, "To all", "Token", "STORE_KEY");
  await page.getByRole("button", { name: "More of Images" }).click();
  for (const target of ["Cloudflare Stream", "A bucket on S3", "A webhook"]) {
    await page.getByRole("button", { name: "Add a target" }).click();
    const groups = page.getByRole("group", { name: /^To / });
    await groups.last().getByRole("combobox", { name: "Target", exact: true }).click();
    await page.getByRole("option", { name: target, exact: true }).click();
  }
  await page.getByRole("button", { name: "Ask target-4 earlier" }).click();
  await page.getByRole("button", { name: "Take target-2 away" }).click();
  await expect(page.getByRole("group", { name: /^To / })).toHaveCount(3);
  await page.getByLabel("By the clock").fill("*/10 * * * *");
  await expect(page.getByText("Next, in your time")).toBeVisible();
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1280, 400]) {
      await page.setViewportSize({ width, height: 900 });
      await isSound(page, `new-sync-${colorScheme}-${width}`);
    }
  }
});
