// Files that are looked at: beside the list, and as tiles in its place.
import type { Page } from "@playwright/test";
import { grid, row } from "./support/file-list.ts";
import { expect, test, unique } from "./support/test.ts";

const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

test("a file is looked at beside the list, with what is known of it", async ({ page, api }) => {
  const folder = unique("seen");
  await api.putFile(`${folder}/a.txt`, "<b>plain</b> words\n");
  await api.putFile(`${folder}/b.png`, PIXEL, "image/png");
  await api.putFile(`${folder}/c.bin`, Buffer.from([0, 1, 2]), "application/x-thing");
  await page.goto(`/files/files/${folder}`);
  await row(page, "a.txt").getByRole("link").click();
  const drawer = page.getByRole("dialog");
  await expect(drawer.locator("pre")).toHaveText("<b>plain</b> words\n");
  await expect(page).toHaveURL(/open=/);
  await expect(drawer.getByRole("button", { name: "Copy SHA-256" })).toBeVisible();
  await drawer.getByRole("button", { name: "Add a value" }).click();
  await drawer.getByLabel("Name 1", { exact: true }).fill("project");
  await drawer.getByLabel("Value of project").fill("harbour");
  await drawer.getByRole("button", { name: "Save" }).click();
  // While it is saved it says so.
  await expect(drawer.getByRole("button", { name: /^Sav/ })).toHaveCount(0);
  await page.reload();
  await expect(drawer.getByLabel("Value of project")).toHaveValue("harbour");

  await drawer.getByRole("button", { name: /^The next file/ }).click();
  const picture = drawer.getByRole("img", { name: "b.png" });
  await expect(picture).toBeVisible();
  expect(await picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(1);
  await expect(drawer).toContainText("1 × 1 pixels");
  await drawer.getByRole("button", { name: /^The next file/ }).click();
  await expect(drawer.getByText("There is no preview of application/x-thing")).toBeVisible();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    drawer.getByRole("link", { name: "Download" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("c.bin");
  await page.keyboard.press("Escape");
  await expect(drawer).toHaveCount(0);

  await page.getByRole("searchbox").fill("harbour");
  await expect(page).toHaveURL(/q=harbour/);
  await expect(row(page, "a.txt")).toBeVisible();
  await expect(row(page, "b.png")).toHaveCount(0);
});

test("tiles show pictures, are gone through as the list is, and stay", async ({ page, api }) => {
  const folder = unique("tiles");
  await api.putFile(`${folder}/a.txt`, "a");
  await api.putFile(`${folder}/b.png`, PIXEL, "image/png");
  await api.putFile(`${folder}/c/d.txt`, "d");
  const tile = (name: string) =>
    grid(page)
      .getByRole("gridcell")
      .filter({ has: page.getByRole("link", { name: new RegExp(`^${name}`) }) });
  await page.goto(`/files/files/${folder}`);
  await expect(row(page, "a.txt")).toBeVisible();
  await page.getByRole("button", { name: "Show as tiles" }).click();
  await expect(page).toHaveURL(/as=tiles/);
  const picture = tile("b.png").locator("img");
  await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(1);
  await tile("a.txt").getByRole("checkbox").click();
  await expect(page.getByText("1 chosen, 1 B")).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  const drawer = page.getByRole("dialog");
  await expect(drawer.getByRole("img", { name: "b.png" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(drawer).toHaveCount(0);
  await page.goto(`/files/files/${folder}`);
  await tile("c").getByRole("link").click();
  await expect(tile("d.txt")).toBeVisible();
});

test("a video is played beside the list", async ({ page, api }) => {
  const folder = unique("film");
  await page.goto("/files/files");
  await api.putFile(`${folder}/v.webm`, Buffer.from(await recorded(page)), "video/webm");
  await page.goto(`/files/files/${folder}`);
  await row(page, "v.webm").getByRole("link").click();
  const video = page.getByRole("dialog").getByLabel("Video");
  await expect(video).toHaveJSProperty("videoWidth", 32);
  await expect(video).toHaveJSProperty("controls", true);
});

/** A film of a moment, as the browser itself makes one. */
function recorded(page: Page): Promise<number[]> {
  return page.evaluate(async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 32, height: 16 });
    const recorder = new MediaRecorder(canvas.captureStream(), { mimeType: "video/webm" });
    const pen = canvas.getContext("2d");
    const film = new Promise<Blob>((resolve) => {
      recorder.ondataavailable = ({ data }) => resolve(data);
    });
    recorder.start();
    for (let frame = 0; frame < 10; frame++) {
      pen?.fillRect(0, 0, frame + 1, 16);
      await new Promise(requestAnimationFrame);
    }
    recorder.stop();
    const bytes = await (await film).arrayBuffer();
    return [...new Uint8Array(bytes)];
  });
}

test("a PDF is shown by the browser's own viewer where it has one", async ({ page, api }) => {
  const folder = unique("pdf");
  await api.putFile(`${folder}/p.pdf`, smallPdf(), "application/pdf");
  await page.goto(`/files/files/${folder}`);
  await row(page, "p.pdf").getByRole("link").click();
  const drawer = page.getByRole("dialog");
  const shows = await page.evaluate(() => navigator.pdfViewerEnabled);
  test.info().annotations.push({ type: "pdf viewer", description: String(shows) });
  if (shows) await expect(drawer.locator("iframe")).toHaveAttribute("src", /^blob:/);
  else await expect(drawer.getByText("shows no PDFs within a page")).toBeVisible();
});

function smallPdf(): string {
  return [
    "%PDF-1.4",
    "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj",
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj",
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj",
    "trailer<</Root 1 0 R>>",
    "%%EOF",
    "",
  ].join("\n");
}
