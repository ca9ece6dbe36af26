// A folder of very many files.
import type { Page } from "@playwright/test";
import { makeMany } from "./support/many-files.ts";
import { expect, test, unique } from "./support/test.ts";

const grid = (page: Page) => page.getByRole("grid", { name: "Files" });
const row = (page: Page, name: string) =>
  grid(page)
    .getByRole("row")
    .filter({ has: page.getByRole("link", { name: new RegExp(`^${name}`) }) });

const LAST = "file-099999.txt";

test("a hundred thousand files in one folder are scrolled through", async ({ page, server }) => {
  test.setTimeout(240_000);
  const folder = unique("many");
  const count = 100_000;
  test.skip(!(await makeMany(server, `${folder}/`, count)), "the server's database is not at hand");
  await page.goto(`/files/files/${folder}`);
  await expect(row(page, "file-000000.txt")).toBeVisible();
  expect(await page.getByRole("row").count()).toBeLessThan(80);
  // To the end as fast as pages come, hundreds of rows a frame; then back as a hand scrolls.
  const down = await scrolled(page, 20_000, LAST);
  await expect(row(page, LAST)).toBeVisible();
  const back = await scrolled(page, -150, null);
  // In no frame there was more on the page than one sees, and a little beyond.
  expect(Math.max(down.most, back.most)).toBeLessThan(80);
  const said = `reading on: ${inWords(down.took)}; scrolling: ${inWords(back.took)}`;
  test.info().annotations.push({ type: "frames", description: said });
  process.stdout.write(`    100,000 files, ${said}\n`);
  for (const { took } of [down, back]) {
    expect(at(took, 0.5), said).toBeLessThanOrEqual(MEDIAN);
    expect(at(took, 0.99), said).toBeLessThanOrEqual(NEARLY_ALL);
  }
  await expect(grid(page)).toHaveAttribute("aria-rowcount", String(count + 1));
});

const HAND = 300;

// Milliseconds of a frame. A list that is drawn as a whole takes seconds for each, one that is
// read anew at every step hundreds of them; this one takes a sixtieth of a second where a
// graphics card draws. Here software draws, on a machine that others load too, so there is
// room for that, and none for a list that falls behind by its own work.
const MEDIAN = 100;
const NEARLY_ALL = 500;

interface Scrolled {
  /** How long frames took, in order. */
  took: number[];
  /** The most rows that were on the page in any of them. */
  most: number;
}

/** Scrolls by so much a frame until `text` is there, or for a while. */
function scrolled(page: Page, by: number, text: string | null): Promise<Scrolled> {
  return page.evaluate(
    async ({ by, text, frames }) => {
      const frame = document.querySelector("[data-files]")?.parentElement;
      if (!frame) throw new Error("There is no list.");
      const took: number[] = [];
      let most = 0;
      let before = performance.now();
      const until = before + 200_000;
      const going = () =>
        text === null
          ? took.length < frames
          : performance.now() < until && !frame.textContent?.includes(text);
      while (going()) {
        frame.scrollTop += by;
        await new Promise(requestAnimationFrame);
        most = Math.max(most, frame.querySelectorAll("[role=row]").length);
        const now = performance.now();
        took.push(now - before);
        before = now;
      }
      return { took: took.sort((a, b) => a - b), most };
    },
    { by, text, frames: HAND },
  );
}

/** The frame that so large a share of them is not longer than. */
function at(frames: number[], share: number): number {
  return frames[Math.floor((frames.length - 1) * share)] ?? Number.POSITIVE_INFINITY;
}

function inWords(frames: number[]): string {
  const took = (share: number) => at(frames, share).toFixed(0);
  return `${frames.length} frames, median ${took(0.5)} ms, 99 of 100 within ${took(0.99)} ms, longest ${took(1)} ms`;
}
