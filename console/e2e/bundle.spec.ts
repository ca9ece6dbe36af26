import type { Locator, Page } from "@playwright/test";
import { bareRequests, isPrompt, pressUntil } from "./support/latency.ts";
import { contentOf } from "./support/origin.ts";
import { expect, held, origin, release, sources, test, unique } from "./support/test.ts";
import { readZip } from "./support/zip.ts";

/** Drops a list of addresses as a file. */
async function drop(page: Page, onto: Locator, name: string, addresses: string[]) {
  const dataTransfer = await page.evaluateHandle(
    ({ name, text }) => {
      const data = new DataTransfer();
      data.items.add(new File([text], name, { type: "text/plain" }));
      return data;
    },
    { name, text: addresses.join("\n") },
  );
  await onto.dispatchEvent("drop", { dataTransfer });
}

test("a pasted list becomes a saved zip", async ({ page }) => {
  await page.goto("/bundles");
  const urls = sources(40, "?size=5000");
  const pasted = [
    ...urls,
    urls[0],
    "not an address",
    "ftp://x.test/1",
    origin("no.jpg?status=404"),
  ];
  await page.getByLabel("Addresses").fill(pasted.join("\n"));
  await expect(page.getByText("41 addresses")).toBeVisible();
  await expect(page.getByText("1 duplicate left out")).toBeVisible();
  await expect(page.getByText("2 lines not readable")).toBeVisible();
  await expect(page.getByText("Line 42")).toBeVisible();
  await page.getByRole("button", { name: "Fetch 41 files" }).click();
  await expect(page).toHaveURL(/\/bundles\/[0-9a-f-]{36}$/);
  const save = page.getByRole("link", { name: /^Download zip \(/ });
  await expect(save).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("listitem").filter({ hasText: "Done" })).toHaveAttribute(
    "data-phase",
    "passed",
  );
  const [download] = await Promise.all([page.waitForEvent("download"), save.click()]);
  const entries = await readZip(await download.path());
  for (let i = 0; i < 40; i += 1) {
    const name = `file-${i}.bin`;
    expect(entries.get(name)?.equals(contentOf(name, 5000)), name).toBe(true);
  }
  expect([...entries.keys()]).toContain("_longshore-report.json");

  await page.getByText(/^Failed 1$/).click();
  const failed = page.getByRole("row").filter({ hasText: "Failed" });
  await expect(failed).toHaveCount(1);
  await expect(failed).toContainText("404");
  const id = new URL(page.url()).pathname.split("/").at(-1);
  await isPrompt("Retry", async (again) => {
    if (again) await page.reload();
    const retry = failed.getByRole("button", { name: /^Retry/ });
    await expect(retry).toBeVisible();
    const bare = await bareRequests(page, {
      method: "POST",
      path: `/api/v1/bundles/${id}/retry`,
      body: { sources: null },
    });
    const queued = "Queued as a bundle of its own";
    return { bare, took: await pressUntil(retry, "[role=status]", queued) };
  });
  await expect(page.getByText("Queued as a bundle of its own")).toBeVisible();
});

test("a list is dropped as a file, and not lost without a word", async ({ page }) => {
  await page.goto("/bundles");
  await drop(page, page.locator("form"), "covers.txt", sources(3_000, "?size=10"));
  await expect(page.getByText("covers.txt")).toBeVisible();
  await expect(page.getByRole("button", { name: "Fetch 3,000 files" })).toBeEnabled();
  await page.getByRole("link", { name: "Activity" }).first().click();
  await expect(page.getByRole("heading", { name: "Activity" })).toBeVisible();
  await page.goBack();
  await expect(page.getByText("covers.txt")).toBeVisible();
  await expect(page.getByRole("button", { name: "Fetch 3,000 files" })).toBeEnabled();

  // Beside the form it is taken all the same, instead of replacing the console.
  await page.getByRole("button", { name: "Use another list" }).click();
  const beside = page.getByRole("heading", { name: "Earlier bundles" });
  await drop(page, beside, "others.txt", sources(2));
  await expect(page.getByText("others.txt")).toBeVisible();
  await expect(page.getByRole("button", { name: "Fetch 2 files" })).toBeEnabled();

  // A tab has no room for it: the browser asks before a reload loses it.
  const asked: string[] = [];
  page.on("dialog", async (dialog) => {
    asked.push(dialog.type());
    await dialog.accept();
  });
  await page.reload();
  expect(asked).toEqual(["beforeunload"]);
  await expect(page.getByLabel("Addresses")).toBeVisible();
});

test("a list that is typed survives leaving the page, and so does what was chosen", async ({
  page,
}) => {
  await page.goto("/bundles");
  await page.getByLabel("Addresses").fill(sources(3).join("\n"));
  await expect(page.getByRole("button", { name: "Fetch 3 files" })).toBeEnabled();
  const name = page.getByRole("textbox", { name: "Name" });
  await expect(name).toHaveCount(0);
  await page.getByRole("button", { name: "Options" }).click();
  await name.fill("covers-may");
  await page.getByLabel("Fail when any file fails").check();
  // It folds all the same, though something in it is chosen.
  const options = page.getByRole("button", { name: "Options" });
  await options.click();
  await expect(options).toHaveAttribute("aria-expanded", "false");
  await expect(name).toHaveCount(0);
  const isThere = async () => {
    await expect(page.getByRole("button", { name: "Fetch 3 files" })).toBeEnabled();
    await expect(name).toHaveValue("covers-may");
    await expect(page.getByLabel("Fail when any file fails")).toBeChecked();
  };
  await page.getByRole("link", { name: "Activity" }).first().click();
  await expect(page.getByRole("heading", { name: "Activity" })).toBeVisible();
  await page.goBack();
  await isThere();
  await page.reload();
  await isThere();
});

test("a bundle that somebody else begins waits to be shown", async ({ page, api }) => {
  const [mine, theirs] = [unique("mine"), unique("theirs")];
  await api.makeBundle(mine, held(1, mine));
  await page.goto("/bundles");
  await expect(page.getByRole("link", { name: new RegExp(mine) })).toBeVisible();
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await api.ended((await api.makeBundle(theirs, sources(1))).id);
  await expect(page.getByRole("button", { name: "1 new" })).toBeVisible();
  // One that is listed ends and has its size, and nothing moves for it.
  await release(mine);
  const row = page.getByRole("row").filter({ hasText: mine });
  await expect(row).toContainText(/Succeeded.*\d (B|KiB)/);
  await expect(page.getByRole("link", { name: new RegExp(theirs) })).toHaveCount(0);
  await page.getByRole("button", { name: "1 new" }).click();
  await expect(page.getByRole("link", { name: new RegExp(theirs) })).toBeVisible();
});

test("a reload in the middle attaches again and misses nothing", async ({ page, api }) => {
  const hold = unique("slow");
  const { id } = await api.makeBundle("reloaded", [
    ...sources(20, "?size=100", "quick"),
    ...held(12, hold),
  ]);
  await page.goto(`/bundles/${id}`);
  const done = page.getByText(/^Done 20$/);
  await expect(done).toBeVisible();
  await page.reload();
  await expect(done).toBeVisible();
  await expect(page.getByRole("row", { name: /Done quick-0\.bin/ })).toBeVisible();
  await release(hold);
  await expect(page.getByRole("link", { name: /^Download zip/ })).toBeVisible();
  await expect(page.getByText(/^Done 32$/)).toBeVisible();
});

test("sources that wait for their turn have their names after a reload", async ({ page, api }) => {
  const hold = unique("queue");
  // More than are fetched from one origin at once.
  const { id } = await api.makeBundle("named", held(40, hold, "named"));
  await page.goto(`/bundles/${id}`);
  await page.getByText(/^Queued [1-9]\d*$/).click();
  await page.reload();
  const last = page.getByRole("row", { name: /Queued named-39\.bin/ });
  const list = page.getByRole("table", { name: "Sources" }).locator("..");
  // Pressed before all have come, the key goes to the end of those that have.
  await expect(async () => {
    await list.press("End");
    await expect(last).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 20_000 });
  await release(hold);
  await api.ended(id);
});

test("cancelling stops it, and it can be made again and deleted", async ({ page, api }) => {
  const hold = unique("never");
  let id = "";
  await isPrompt("Cancel", async () => {
    ({ id } = await api.makeBundle("stopped", [...sources(2), ...held(6, hold)]));
    const other = await api.makeBundle("stopped-too", held(1, hold));
    await page.goto(`/bundles/${id}`);
    await expect(page.getByText(/^Done 2$/)).toBeVisible();
    const path = `/api/v1/operations/${other.id}/cancel`;
    const bare = await bareRequests(page, { method: "POST", path });
    const cancel = page.getByRole("button", { name: "Cancel" });
    return { bare, took: await pressUntil(cancel, "button", "Stopping…") };
  });
  await expect(page.getByText("Cancelled; nothing was kept")).toBeVisible();
  expect((await api.operation(id)).state).toBe("cancelled");
  const stages = page.getByRole("list", { name: "Stages" });
  await expect(stages.getByText("Fetching cancelled")).toBeVisible();
  await expect(stages.locator("[data-phase=passed]")).toHaveCount(1);
  await expect(page.getByText(/^Not fetched 6$/)).toBeVisible();
  await release(hold);

  const made = await api.makeBundle("short-lived", sources(3));
  await api.ended(made.id);
  await isPrompt("Make again", async () => {
    await page.goto(`/bundles/${made.id}`);
    const again = page.getByRole("button", { name: "Make again" });
    await expect(again).toBeVisible();
    // What is queued is shown on its page, which reads it.
    const bare = await bareRequests(
      page,
      { method: "POST", path: `/api/v1/operations/${made.id}/retry` },
      { method: "GET", path: `/api/v1/bundles/${made.id}` },
    );
    return { bare, took: await pressUntil(again, `a[href="/bundles/${made.id}"]`) };
  });
  await expect(page).not.toHaveURL(new RegExp(made.id));
  await expect(page.getByRole("link", { name: /^Download zip/ })).toBeVisible();
  await page.goto(`/bundles/${made.id}`);
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("dialog")).toContainText("come free");
  await page.getByRole("button", { name: "Delete short-lived.zip" }).click();
  await expect(page).toHaveURL(/\/bundles$/);
  await expect(page.getByText(/short-lived\.zip is deleted: .* came free/)).toBeVisible();
});

test("a link lets somebody without a session download", async ({ page, api, playwright }) => {
  const { id } = await api.makeBundle("passed-on", sources(2));
  await api.ended(id);
  await page.goto(`/bundles/${id}`);
  await page.getByRole("button", { name: "Copy link" }).click();
  const link = await page.locator("pre").filter({ hasText: "signature" }).innerText();
  const stranger = await playwright.request.newContext();
  const answer = await stranger.get(link);
  expect(answer.status()).toBe(200);
  expect(answer.headers()["content-type"]).toBe("application/zip");
  await stranger.dispose();
});

test("thousands of sources are sent and listed with few rows on the page", async ({ page }) => {
  await page.goto("/bundles");
  await drop(page, page.locator("form"), "many.txt", sources(3_000, "?size=1"));
  await page.getByRole("button", { name: "Fetch 3,000 files" }).click();
  await expect(page).toHaveURL(/\/bundles\/[0-9a-f-]{36}$/);
  await expect(page.getByText(/^Done 3,000$/)).toBeVisible({ timeout: 40_000 });
  expect(await page.getByRole("row").count()).toBeLessThan(60);
  await page.getByRole("table", { name: "Sources" }).locator("..").press("End");
  await expect(page.getByRole("row", { name: /file-2999\.bin/ })).toBeVisible();
});

test("a bundle's page stands before the server was asked a second time", async ({ page }) => {
  const urls = sources(5);
  // Whatever is asked for after the list was sent is answered only once the page stands.
  let stands: Promise<void> | null = null;
  await page.route(/\/api\/v1\/bundles(\/|\?)/, async (route) => {
    if (route.request().method() === "GET") await stands;
    await route.continue();
  });
  await isPrompt("Fetch", async () => {
    await page.goto("/bundles");
    await page.getByLabel("Addresses").fill(urls.join("\n"));
    const button = page.getByRole("button", { name: "Fetch 5 files" });
    await expect(button).toBeEnabled();
    const bare = await bareRequests(page, {
      method: "POST",
      path: "/api/v1/bundles",
      body: { sources: urls },
    });
    let answer = () => {};
    stands = new Promise<void>((resume) => {
      answer = resume;
    });
    const took = await pressUntil(button, '[aria-label="Stages"]');
    answer();
    stands = null;
    return { bare, took };
  });
  await expect(page.getByRole("link", { name: /^Download zip/ })).toBeVisible();
});
