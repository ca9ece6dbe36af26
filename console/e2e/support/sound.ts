// What every page must be: accessible by axe's rules, no wider than its window, and
// with room for its words.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";

// What can differ between the variants of a page that hold the same elements.
const OF_ITS_LOOK = ["color-contrast", "link-in-text-block", "target-size"];

interface Scope {
  /** The elements were judged by every rule before, in other colours. */
  known?: boolean;
}

export async function isSound(page: Page, what: string, { known = false }: Scope = {}) {
  await isStill(page, what);
  await axeIsThere(page);
  // Legacy mode looks at no frames of other origins, and opens no page for each analysis. Of
  // what is in order nothing is told: it would name every element.
  const builder = new AxeBuilder({ page, axeSource: "0" })
    .setLegacyMode()
    .options({ resultTypes: ["violations"] });
  const { violations } = await (known
    ? builder.withRules(OF_ITS_LOOK)
    : builder.withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
  ).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html).join(" | ")}`);
  expect(found, what).toEqual([]);
  expect(await sidewaysScroll(page), `sideways scroll of ${what}`).toBeLessThanOrEqual(0);
  expect(await cramped(page), `what has no room on ${what}`).toEqual([]);
  const shots = process.env.LONGSHORE_SHOTS;
  if (shots) await page.screenshot({ path: `${shots}/${test.info().project.name}${what}.png` });
}

// What fades in is judged once it is there. An overlay that was asked for is first laid out
// unseen, a frame later it begins to fade, and until it has begun no animation is known of it.
async function isStill(page: Page, what: string) {
  await page.evaluate(
    async ({ what, limit, framesOfRest }) => {
      const begun = performance.now();
      const fades = () =>
        document
          .getAnimations()
          .some(
            ({ playState, effect }) =>
              playState === "running" && effect?.getComputedTiming().iterations !== Infinity,
          );
      const isUnseen = () =>
        [...document.querySelectorAll<HTMLElement>("[style*=transition-property]")].some(
          (element) => element.style.opacity === "0" && element.checkVisibility(),
        );
      for (let rest = 0; rest < framesOfRest; ) {
        if (performance.now() - begun > limit) throw new Error(`${what} does not come to rest`);
        await new Promise(requestAnimationFrame);
        rest = fades() || isUnseen() ? 0 : rest + 1;
      }
    },
    { what, limit: 10_000, framesOfRest: 3 },
  );
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Half a megabyte of script, which AxeBuilder would send and run twice for each analysis.
async function axeIsThere(page: Page) {
  for (const frame of page.frames()) {
    const there = await frame.evaluate(() => "axe" in window);
    if (!there) await frame.evaluate(AXE);
  }
}

function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

// Words that are cut off after a letter or two, and tables wider than their frames.
function cramped(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const readable = 48;
    const cut = [...document.querySelectorAll("body *")].filter(
      (element) =>
        element.clientWidth < readable &&
        element.scrollWidth > element.clientWidth &&
        getComputedStyle(element).textOverflow === "ellipsis" &&
        // Where rows have two lines, heads are there for screen readers alone.
        !element.closest("[role=columnheader]"),
    );
    const wide = [...document.querySelectorAll("[role=table]")].filter((table) => {
      const frame = table.parentElement ?? table;
      return frame.scrollWidth > frame.clientWidth;
    });
    return [...cut, ...wide].map((element) => (element.textContent ?? "").slice(0, 60));
  });
}
