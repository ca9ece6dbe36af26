// What is promised of a press: within 200 ms it shows where it was pressed. The time that
// the request itself takes is not the console's, so a bare one of the same kind is sent from
// the same page and measured beside it. A busy machine only ever adds to both: a promise that
// is kept in one of a few tries is kept, and one that is broken fails all of them.
import { expect, type Locator, type Page, test } from "@playwright/test";

const PROMISED_MS = 200;
const TRIES = 8;

export interface Pressed {
  /** Milliseconds from the press until it showed. */
  took: number;
  /** What the bare request took. */
  bare: number;
}

/** Tries what `attempt` measures; `again` is true after the first time. */
export async function isPrompt(what: string, attempt: (again: boolean) => Promise<Pressed>) {
  const broken: string[] = [];
  while (broken.length < TRIES) {
    const { took, bare } = await attempt(broken.length > 0);
    const words = `${took.toFixed(0)} ms, and a bare request ${bare.toFixed(0)} ms`;
    if (took <= bare + PROMISED_MS) {
      test.info().annotations.push({ type: "latency", description: `${what}: ${words}` });
      process.stdout.write(`    from pressing ${what} until it shows: ${words}\n`);
      return;
    }
    broken.push(words);
  }
  expect(broken, `${what} shows within ${PROMISED_MS} ms of what its request takes`).toEqual([]);
}

/** Presses, and tells after how long an element of `selector` has `words` in it. */
export function pressUntil(button: Locator, selector: string, words = ""): Promise<number> {
  return button.evaluate(
    (pressed, { selector, words }) => {
      const shows = () =>
        [...document.querySelectorAll(selector)].some(({ textContent }) =>
          (textContent ?? "").includes(words),
        );
      if (shows()) throw new Error(`${selector} with "${words}" was there before the press.`);
      return new Promise<number>((seen) => {
        const from = performance.now();
        const watch = new MutationObserver(() => {
          if (!shows()) return;
          watch.disconnect();
          seen(performance.now() - from);
        });
        watch.observe(document.body, { childList: true, subtree: true, characterData: true });
        (pressed as HTMLElement).click();
      });
    },
    { selector, words },
  );
}

export interface Bare {
  method: "GET" | "POST";
  path: string;
  body?: unknown;
}

/** How long these requests take one after the other, sent from the page by themselves. */
export function bareRequests(page: Page, ...requests: Bare[]): Promise<number> {
  return page.evaluate(async (requests) => {
    const { csrf } = await (await fetch("/api/v1/session")).json();
    const from = performance.now();
    for (const { method, path, body } of requests) {
      const headers = new Headers({ "X-CSRF-Token": csrf });
      if (body !== undefined) headers.set("Content-Type", "application/json");
      const sent = body === undefined ? null : JSON.stringify(body);
      const answer = await fetch(path, { method, headers, body: sent });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      await answer.arrayBuffer();
    }
    return performance.now() - from;
  }, requests);
}
