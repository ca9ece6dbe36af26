import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { Drag, dropOn } from "./support/drop.ts";
import { grid, row } from "./support/file-list.ts";
import { expect, test, unique } from "./support/test.ts";
import { readZip } from "./support/zip.ts";

let disk = "";

test.beforeAll(async () => {
  disk = await mkdtemp(join(tmpdir(), "longshore-drop-"));
});
test.afterAll(() => rm(disk, { recursive: true, force: true }));

async function onDisk(path: string, content: string | Buffer): Promise<string> {
  const whole = join(disk, path);
  await mkdir(join(whole, ".."), { recursive: true });
  await writeFile(whole, content);
  return whole;
}

const tray = (page: Page) => page.getByRole("region", { name: "Uploads" });

test("files and a folder that are dropped are uploaded with their tree", async ({ page, api }) => {
  const folder = unique("dropped");
  await api.putFile(`${folder}/inside/old.txt`, "old");
  const one = await onDisk(`${folder}/one.txt`, "the first");
  await onDisk(`${folder}/tree/a.txt`, "a");
  await onDisk(`${folder}/tree/deep/b c.txt`, "b");
  await page.goto(`/files/files/${folder}`);
  await expect(row(page, "inside")).toBeVisible();
  const heading = page.getByRole("heading", { level: 1 });
  const drag = await Drag.over(page, heading, [one, join(disk, folder, "tree")]);
  await expect(page.getByText(`Drop to upload into ${folder}`)).toBeVisible();
  await drag.drop();
  await expect(tray(page).getByText("3 files uploaded")).toBeVisible();
  await expect(row(page, "one.txt")).toBeVisible();
  await expect(row(page, "tree")).toBeVisible();
  expect((await api.fileContent(`${folder}/tree/deep/b c.txt`))?.toString()).toBe("b");

  await dropOn(page, row(page, "inside"), [one]);
  await expect(tray(page).getByText("4 files uploaded")).toBeVisible();
  expect((await api.fileContent(`${folder}/inside/one.txt`))?.toString()).toBe("the first");
  await row(page, "inside").getByRole("link").click();
  await expect(row(page, "old.txt")).toBeVisible();
  await expect(row(page, "one.txt")).toBeVisible();
});

test("a chosen folder is uploaded, into a folder that was not there", async ({ page, api }) => {
  const name = unique("chosen");
  await onDisk(`${name}/x/1.txt`, "1");
  await onDisk(`${name}/x/2.txt`, "2");
  await page.goto("/files");
  await expect(page).toHaveURL(/\/files\/files\/?$/);
  await page.getByRole("button", { name: "New folder" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Open folder" }).click();
  await expect(page.getByText("Nothing is here yet.")).toBeVisible();
  await expect(page.locator("pre")).toContainText(`/${name}/`);
  await page.getByRole("button", { name: "Upload", exact: true }).click();
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("menuitem", { name: "A folder…" }).click(),
  ]);
  await chooser.setFiles(join(disk, name, "x"));
  await expect(row(page, "x")).toBeVisible();
  await expect(tray(page).getByText("2 files uploaded")).toBeVisible();
  expect((await api.fileContent(`${name}/x/2.txt`))?.toString()).toBe("2");
});

test.describe("what is refused or lost", () => {
  test.use({ expectedComplaints: /status of (412|500)|ERR_FAILED/ });

  test("what lies there is replaced only when asked", async ({ page, api }) => {
    const folder = unique("twice");
    await api.putFile(`${folder}/same.txt`, "before");
    // As long as one request may be: the refusal comes before all of it was read.
    const after = "after ".repeat(700_000);
    const same = await onDisk(`${folder}/same.txt`, after);
    await page.goto(`/files/files/${folder}`);
    await dropOn(page, grid(page), [same]);
    await expect(tray(page).getByText("A file lies there already")).toBeVisible();
    expect((await api.fileContent(`${folder}/same.txt`))?.toString()).toBe("before");
    await tray(page).getByRole("button", { name: "Replace same.txt" }).click();
    await expect(tray(page).getByText("1 file uploaded")).toBeVisible();
    expect((await api.fileContent(`${folder}/same.txt`))?.toString()).toBe(after);
  });

  test("a failed upload says why, and is tried again", async ({ page, api }) => {
    const folder = unique("broken");
    const file = await onDisk(`${folder}/b.txt`, "content");
    await page.goto(`/files/files/${folder}`);
    await expect(page.getByText("Nothing is here yet.")).toBeVisible();
    await page.route(/\/files\/.*b\.txt$/, (route) => route.abort(), { times: 1 });
    await dropOn(page, page.getByRole("heading", { level: 1 }), [file]);
    await expect(tray(page).getByText("could not be reached")).toBeVisible();
    await tray(page).getByRole("button", { name: "Retry b.txt" }).click();
    await expect(tray(page).getByText("1 file uploaded")).toBeVisible();
    await expect(row(page, "b.txt")).toBeVisible();
    expect((await api.fileContent(`${folder}/b.txt`))?.toString()).toBe("content");
  });
});

test("uploads go on while one looks at other pages, and the browser asks before it leaves", async ({
  page,
  api,
}) => {
  const folder = unique("kept");
  const files = await Promise.all([1, 2, 3, 4, 5].map((n) => onDisk(`${folder}/${n}.txt`, `${n}`)));
  let release = () => {};
  const held = new Promise<void>((resume) => {
    release = resume;
  });
  await page.route(/\/buckets\/files\/files\/.+\.txt$/, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`/files/files/${folder}`);
  await dropOn(page, page.getByRole("heading", { level: 1 }), files);
  await expect(tray(page).getByText(/^Waiting/)).toHaveCount(2);
  await page.getByRole("link", { name: "Activity" }).first().click();
  await expect(page.getByRole("heading", { name: "Activity" })).toBeVisible();
  await expect(tray(page)).toContainText("Uploading 1 of 5 files");
  const asked = page.waitForEvent("dialog");
  await page.close({ runBeforeUnload: true });
  const dialog = await asked;
  expect(dialog.type()).toBe("beforeunload");
  await dialog.dismiss();
  await tray(page).getByRole("button", { name: "Cancel 5.txt" }).click();
  release();
  await expect(tray(page).getByText("4 files uploaded")).toBeVisible();
  expect((await api.fileContent(`${folder}/4.txt`))?.toString()).toBe("4");
  expect(await api.fileContent(`${folder}/5.txt`)).toBeNull();
  await tray(page).getByRole("button", { name: "Close the list of uploads" }).click();
  await expect(tray(page)).toHaveCount(0);
});

test("what is deleted comes back by Undo, and from the trash", async ({ page, api }) => {
  const folder = unique("gone");
  for (const name of ["a", "b", "c", "d"]) await api.putFile(`${folder}/${name}.txt`, name);
  await page.goto(`/files/files/${folder}`);
  await row(page, "b.txt").getByRole("checkbox").click();
  await row(page, "c.txt")
    .getByRole("checkbox")
    .click({ modifiers: ["Shift"] });
  await expect(page.getByText("2 chosen, 2 B")).toBeVisible();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(row(page, "b.txt")).toHaveCount(0);
  await expect(row(page, "c.txt")).toHaveCount(0);
  expect(await api.fileContent(`${folder}/b.txt`)).toBeNull();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row(page, "b.txt")).toBeVisible();
  await expect(row(page, "c.txt")).toBeVisible();
  expect((await api.fileContent(`${folder}/c.txt`))?.toString()).toBe("c");

  await row(page, "d.txt").getByRole("gridcell").last().click();
  await page.keyboard.press("Delete");
  await expect(row(page, "d.txt")).toHaveCount(0);
  await page.getByRole("button", { name: "More of this bucket" }).click();
  await page.getByRole("menuitem", { name: "Trash" }).click();
  await expect(page).toHaveURL(/view=trash/);
  await page.getByRole("button", { name: `Restore ${folder}/d.txt` }).click();
  await expect(page.getByRole("button", { name: `Restore ${folder}/d.txt` })).toHaveCount(0);
  await page.getByRole("button", { name: "Back to the files" }).click();
  await expect(row(page, "d.txt")).toBeVisible();
});

test("a folder is deleted with all below it, after a question", async ({ page, api }) => {
  const folder = unique("tree");
  await api.putFile(`${folder}/in/1.txt`, "1");
  await api.putFile(`${folder}/in/deep/2.txt`, "222");
  await api.putFile(`${folder}/stays.txt`, "3");
  await page.goto(`/files/files/${folder}`);
  await row(page, "in").getByRole("checkbox").click();
  await expect(page.getByText("1 chosen, 2 files, 4 B")).toBeVisible();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByRole("dialog")).toContainText("2 files, 4 B");
  await expect(page.getByRole("dialog")).toContainText("trash for 7 d");
  await page.getByRole("button", { name: "Delete the folder in" }).click();
  await expect(row(page, "in")).toHaveCount(0);
  await expect(row(page, "stays.txt")).toBeVisible();
  await expect(page.getByText("2 files are in the trash.")).toBeVisible();
  expect(await api.fileContent(`${folder}/in/deep/2.txt`)).toBeNull();
});

test.describe("moving", () => {
  test.use({ expectedComplaints: /status of 412/ });

  test("files are renamed and moved, and never onto others", async ({ page, api }) => {
    const folder = unique("moved");
    for (const name of ["a", "b", "c"]) await api.putFile(`${folder}/${name}.txt`, name);
    await api.putFile(`${folder}/to/c.txt`, "the other c");
    await page.goto(`/files/files/${folder}`);
    await row(page, "a.txt").getByRole("gridcell").last().click();
    await page.keyboard.press("F2");
    await page.getByLabel("New path").fill(`${folder}/renamed.txt`);
    await page.getByRole("button", { name: "Move to renamed.txt" }).click();
    await expect(row(page, "renamed.txt")).toBeVisible();
    await expect(row(page, "a.txt")).toHaveCount(0);

    await row(page, "b.txt").getByRole("checkbox").click();
    await row(page, "c.txt").getByRole("checkbox").click();
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByRole("dialog").getByLabel("Folder").fill(`${folder}/to`);
    await page.getByRole("button", { name: `Move to ${folder}/to/` }).click();
    const alert = page.getByRole("alert").filter({ hasText: "1 file failed" });
    await expect(alert).toContainText(`${folder}/c.txt`);
    await expect(row(page, "b.txt")).toHaveCount(0);
    await expect(row(page, "c.txt")).toBeVisible();
    expect((await api.fileContent(`${folder}/to/b.txt`))?.toString()).toBe("b");
    expect((await api.fileContent(`${folder}/to/c.txt`))?.toString()).toBe("the other c");
  });
});

test("order and words are in the address, and Back returns", async ({ page, api }) => {
  const folder = unique("sorted");
  await api.putFile(`${folder}/big.txt`, "x".repeat(500));
  await api.putFile(`${folder}/small.txt`, "x");
  await page.goto(`/files/files/${folder}`);
  const names = () => grid(page).locator("[role=row] a").allInnerTexts();
  await expect.poll(names).toEqual(["big.txt", "small.txt"]);
  await page.getByRole("columnheader", { name: "Size" }).getByRole("button").click();
  await expect(page).toHaveURL(/sort=size/);
  await expect.poll(names).toEqual(["small.txt", "big.txt"]);
  await page.getByRole("columnheader", { name: "Size" }).getByRole("button").click();
  await expect.poll(names).toEqual(["big.txt", "small.txt"]);
  await page.reload();
  await expect.poll(names).toEqual(["big.txt", "small.txt"]);
  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox")).toBeFocused();
  await page.keyboard.type("smal");
  await expect.poll(names).toEqual(["small.txt"]);
  await row(page, "small.txt").getByRole("link").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page).toHaveURL(/q=smal/);
});

test("folders are gone through, files chosen and looked at by keys alone", async ({
  page,
  api,
}) => {
  const folder = unique("keys");
  await api.putFile(`${folder}/in/1.txt`, "one");
  await api.putFile(`${folder}/in/2.txt`, "two");
  await api.putFile(`${folder}/in/3.txt`, "three");
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Dashboard" })).toBeVisible();
  await page.keyboard.press("g");
  await page.keyboard.press("f");
  await expect(page).toHaveURL(/\/files\/files/);
  await page.goto(`/files/files/${folder}`);
  await expect(row(page, "in")).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(row(page, "1.txt")).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Shift+ArrowDown");
  await expect(page.getByText("3 chosen")).toBeVisible();
  await page.keyboard.press("F2");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByText("3 chosen")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByText("3 files")).toBeVisible();
  await page.keyboard.press("Space");
  await expect(page.getByRole("dialog").locator("pre")).toHaveText("three");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.keyboard.press("Backspace");
  await expect(row(page, "in")).toBeVisible();
});

test("what is chosen is downloaded, shared, moved, deleted and brought back by keys alone", async ({
  page,
  api,
}) => {
  const folder = unique("by-keys");
  for (const name of ["a", "b", "c", "d"]) await api.putFile(`${folder}/${name}.txt`, name);
  await page.goto(`/files/files/${folder}`);
  await expect(row(page, "a.txt")).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Shift+ArrowDown");
  await expect(page.getByText("2 chosen, 2 B")).toBeVisible();
  const [zip] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("z")]);
  const found = await readZip(await zip.path());
  expect([...found.keys()].sort()).toEqual(["b.txt", "c.txt"]);

  await page.keyboard.press("Delete");
  await expect(row(page, "b.txt")).toHaveCount(0);
  await expect(row(page, "c.txt")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Undo" })).toBeVisible();
  await page.keyboard.press("Control+z");
  await expect(row(page, "b.txt")).toBeVisible();
  await expect(row(page, "c.txt")).toBeVisible();
  expect((await api.fileContent(`${folder}/c.txt`))?.toString()).toBe("c");

  await page.keyboard.press("Escape");
  await page.keyboard.press("Home");
  await page.keyboard.press("l");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Make link" })).toBeVisible();
  const most = dialog.getByLabel("Most downloads");
  for (let tabs = 0; tabs < 12; tabs += 1) {
    if (await most.evaluate((field) => field === document.activeElement)) break;
    await page.keyboard.press("Tab");
  }
  await page.keyboard.type("1");
  await page.keyboard.press("Enter");
  await expect(dialog.locator("pre")).toContainText("/s/");
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);

  await page.keyboard.press("m");
  const path = dialog.getByLabel("New path");
  await expect(path).toBeFocused();
  await page.keyboard.press("Control+a");
  await page.keyboard.type(`${folder}/z.txt`);
  await page.keyboard.press("Enter");
  await expect(row(page, "z.txt")).toBeVisible();
  await expect(row(page, "a.txt")).toHaveCount(0);
});

test("older versions of a file are got and brought back", async ({ page, api }) => {
  const bucket = unique("versions");
  await api.change("/api/v1/buckets", { name: bucket, settings: { versions: true } });
  for (const content of ["first", "second", "third"]) {
    await api.putFile("a.txt", content, "text/plain", bucket);
  }
  await page.goto(`/files/${bucket}`);
  await row(page, "a.txt").getByRole("link").click();
  const drawer = page.getByRole("dialog");
  await expect(drawer.locator("pre")).toHaveText("third");
  const versions = drawer.getByRole("region", { name: "Older versions" });
  await expect(versions.getByRole("listitem")).toHaveCount(2);
  // The newest first.
  const oldest = versions.getByRole("listitem").last();
  const [saved] = await Promise.all([
    page.waitForEvent("download"),
    oldest.getByRole("link", { name: /^Download the version/ }).click(),
  ]);
  expect(await readFile(await saved.path(), "utf8")).toBe("first");
  expect(saved.suggestedFilename()).toBe("a.txt");
  await oldest.getByRole("button", { name: /^Restore the version/ }).click();
  await expect(drawer.locator("pre")).toHaveText("first");
  await expect(versions.getByRole("listitem")).toHaveCount(2);
  expect((await api.fileContent("a.txt", bucket))?.toString()).toBe("first");
});

test("what is chosen in the trash comes back at once", async ({ page, api }) => {
  const bucket = unique("trash");
  await api.change("/api/v1/buckets", { name: bucket });
  for (const name of ["a", "b", "c"]) {
    await api.putFile(`${name}.txt`, name, "text/plain", bucket);
    await api.deleteFile(`${name}.txt`, bucket);
  }
  await page.goto(`/files/${bucket}?view=trash`);
  const restore = page.getByRole("button", { name: "Restore 2 files" });
  await page.getByRole("checkbox", { name: "Choose a.txt" }).click();
  await page.getByRole("checkbox", { name: "Choose c.txt" }).click();
  await expect(page.getByText("2 chosen, 2 B")).toBeVisible();
  await restore.click();
  await expect(page.getByRole("checkbox", { name: "Choose a.txt" })).toHaveCount(0);
  await expect(page.getByRole("checkbox", { name: "Choose b.txt" })).toBeVisible();
  expect((await api.fileContent("c.txt", bucket))?.toString()).toBe("c");
  expect(await api.fileContent("b.txt", bucket)).toBeNull();
});

test("a bucket is made, ruled and deleted", async ({ page }) => {
  const name = unique("bucket");
  await page.goto("/files");
  await page.getByRole("button", { name: /^Bucket files/ }).click();
  await page.getByRole("menuitem", { name: "New bucket…" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Make bucket" }).click();
  await expect(page).toHaveURL(new RegExp(`/files/${name}`));
  await page.getByRole("button", { name: "More of this bucket" }).click();
  await page.getByRole("menuitem", { name: "Bucket settings" }).click();
  await expect(page).toHaveURL(new RegExp(`/buckets/${name}/rules`));
  await page.getByLabel("Domains").fill(`${name}.localhost`);
  await page.getByRole("switch", { name: "Anybody may read" }).click();
  await page.getByLabel("Days in the trash").fill("2");
  await page.getByLabel("Redirect above MiB").fill("16");
  const changes = page.getByRole("region", { name: "What will change" });
  await expect(changes).toContainText("Days in the trash: 7 → 2");
  await expect(changes).toContainText("Redirect above MiB: never → 16");
  await page.getByRole("link", { name: "Its files" }).click();
  await page.getByRole("button", { name: "Stay here" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("button", { name: "Nothing is changed" })).toBeVisible();
  await page.getByRole("link", { name: "Its files" }).click();
  await expect(page.locator("pre")).toContainText(`${name}.localhost`);
  await page.getByRole("button", { name: "More of this bucket" }).click();
  await page.getByRole("menuitem", { name: "Bucket settings" }).click();
  await expect(page.getByLabel("Days in the trash")).toHaveValue("2");
  await page.getByRole("link", { name: "About", exact: true }).click();
  await page.getByRole("button", { name: "Delete bucket" }).click();
  await page.getByRole("button", { name: `Delete the bucket ${name}` }).click();
  await expect(page).toHaveURL(/\/files\/files\/?$/);
});

test("a large upload goes on after a reload where it stopped", async ({ page, api, request }) => {
  const spoken = await request.fetch("/tus", { method: "OPTIONS" });
  expect(spoken.status(), "the server speaks tus").toBe(204);
  const folder = unique("large");
  const content = Buffer.alloc(24 * 1024 * 1024, "a line of a large file\n");
  const file = await onDisk(`${folder}/large.bin`, content);
  await page.goto(`/files/files/${folder}`);
  const slow = await page.context().newCDPSession(page);
  const speed = (bytes: number) =>
    slow.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: bytes,
    });
  await speed(4 * 1024 * 1024);
  await dropOn(page, page.getByRole("heading", { level: 1 }), [file]);
  await expect(
    tray(page)
      .getByText(/^(9|1\d)(\.\d+)? MiB of 24\.0 MiB/)
      .last(),
  ).toBeVisible({
    timeout: 30_000,
  });
  page.once("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await speed(-1);
  await expect(page.getByText("1 upload waits")).toBeVisible();
  const offsets: number[] = [];
  page.on("request", (sent) => {
    const offset = sent.headers()["upload-offset"];
    if (sent.method() === "PATCH" && offset) offsets.push(Number(offset));
  });
  await dropOn(page, page.getByRole("heading", { level: 1 }), [file]);
  await expect(tray(page).getByText("1 file uploaded")).toBeVisible({ timeout: 30_000 });
  expect(offsets[0]).toBeGreaterThan(0);
  await expect(row(page, "large.bin")).toBeVisible();
  expect((await api.fileContent(`${folder}/large.bin`))?.equals(content)).toBe(true);
});

test("what is chosen is shared, and downloaded as one ZIP", async ({
  page,
  api,
  request,
  playwright,
}) => {
  const offered = await request.get("/api/v1/buckets/files/shares");
  expect(offered.status(), "the server shares files").toBe(200);
  const folder = unique("shared");
  await api.putFile(`${folder}/one.txt`, "one");
  await api.putFile(`${folder}/in/two.txt`, "two");
  await page.goto(`/files/files/${folder}`);
  await row(page, "one.txt").getByRole("checkbox").click();
  await page.getByRole("button", { name: "Share" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Most downloads").fill("2");
  await dialog.getByRole("textbox", { name: "Password" }).fill("open, sesame");
  await dialog.getByRole("combobox", { name: "Good for" }).click();
  await page.getByRole("option", { name: "One day" }).click();
  await dialog.getByRole("button", { name: "Make link" }).click();
  const link = await dialog.locator("pre").innerText();
  await expect(dialog.getByText("0 downloads of 2")).toBeVisible();
  await expect(page.getByTitle("Shared by a link")).toBeVisible();
  const stranger = await playwright.request.newContext();
  const shown = await stranger.get(link);
  expect(shown.status()).toBe(200);
  expect(await shown.text()).toContain("Password");
  const listed = await request.get(`/api/v1/buckets/files/shares?prefix=${folder}/`);
  const [made] = (await listed.json()).items;
  const days = (Date.parse(made.expires_at) - Date.now()) / 86_400_000;
  expect(Math.round(days * 100)).toBe(100);
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await expect(dialog.getByText("0 downloads of 2")).toHaveCount(0);
  expect((await stranger.get(link)).status()).toBe(404);
  await expect(page.getByTitle("Shared by a link")).toHaveCount(0);
  await stranger.dispose();
  await page.keyboard.press("Escape");

  await row(page, "in").getByRole("checkbox").click();
  await expect(page.getByText("2 chosen, 2 files, 6 B")).toBeVisible();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download ZIP" }).click(),
  ]);
  const found = await readZip(await download.path());
  expect(found.get("one.txt")?.toString()).toBe("one");
  expect(found.get("in/two.txt")?.toString()).toBe("two");
});
