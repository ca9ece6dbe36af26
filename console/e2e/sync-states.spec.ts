// States of syncs that are rare, or that no server of these tests comes to: a file that
// Cloudflare works on, a refusal of its, a rule of the environment. The answers are given
// here; what can be had of the real server is in syncs.spec.ts.
import type { Page, Route } from "@playwright/test";
import { isSound } from "./support/sound.ts";
import { expect, test } from "./support/test.ts";

const AT = "2026-11-26T10:00:00Z";
const LONG = "a/rather/long/path/of/a/video/that/does/not/fit/into/the/width/of/a/phone.mp4";

function delivery(number: number, change: Record<string, unknown>) {
  return {
    id: `00000000-0000-7000-8000-00000000000${number}`,
    item: String(number),
    place: `files/${number}.jpg`,
    name: `${number}.jpg`,
    type: "image/jpeg",
    size: 200_000,
    content: null,
    metadata: {},
    target: "images",
    state: "marked",
    remote_id: null,
    thumbnail: null,
    attempt: 1,
    failures: 0,
    reason: null,
    next_at: null,
    claimed: false,
    operation: null,
    found_at: AT,
    changed_at: AT,
    ended_at: null,
    actions: [],
    ...change,
  };
}

const DELIVERIES = [
  delivery(1, { state: "marked", remote_id: "file/1", actions: ["deliver_again"] }),
  delivery(2, {
    state: "failed",
    name: LONG,
    attempt: 5,
    failures: 5,
    reason: "Cloudflare answered 400: the image has more than 100 megapixels.",
    actions: ["retry"],
  }),
  delivery(3, { state: "working", target: "videos", next_at: "2099-01-01T00:00:00Z" }),
  delivery(4, { state: "skipped", target: null, reason: "No target takes application/pdf." }),
  delivery(5, { state: "pending", attempt: 0, size: null, target: null }),
];

const tally = { delivered: 12, working: 1, skipped: 1, failed: 1, retried: 3, removed: 0 };
const PASS = {
  id: "00000000-0000-7000-8000-000000000009",
  started_at: "2026-11-26T09:50:00Z",
  ended_at: "2026-11-26T09:52:00Z",
  state: "done",
  failure: null,
  ...tally,
  bytes: 2_400_000,
};

// Somebody pulled the plug.
const CUT = {
  ...PASS,
  id: PASS.id.replace(/9$/, "8"),
  ended_at: null,
  state: "cut",
  delivered: 3,
  failed: 0,
};

const nothing = { delivered: 0, working: 0, skipped: 0, failed: 0, retried: 0, removed: 0 };

// It could not even begin.
const BROKEN = {
  ...PASS,
  ...nothing,
  id: PASS.id.replace(/9$/, "a"),
  started_at: "2026-11-26T10:20:00Z",
  ended_at: "2026-11-26T10:20:01Z",
  state: "failed",
  failure: "Cloudflare answered 403: Authentication error; give a token that may edit Images",
  bytes: 0,
};

// Later ones have begun beside it, and it runs still.
const RUNNING = {
  ...PASS,
  ...nothing,
  id: PASS.id.replace(/9$/, "7"),
  started_at: "2026-11-26T09:30:00Z",
  ended_at: null,
  state: "running",
  bytes: 0,
};
const PASSES = [BROKEN, PASS, CUT, RUNNING];

const SYNC = {
  id: "00000000-0000-7000-8000-0000000000aa",
  name: "covers",
  rule: {
    source: { kind: "bucket", bucket: "films", prefix: "" },
    targets: [
      {
        name: "images",
        when: { types: ["image/*"], max_size: 10_485_760 },
        to: { kind: "cloudflare_images", account: "a", token: "cloudflare" },
      },
      {
        name: "videos",
        when: { types: ["video/*"] },
        to: { kind: "cloudflare_stream", account: "a", token: "cloudflare" },
      },
    ],
    schedule: "*/10 * * * *",
    zone: "Europe/Berlin",
    remove: false,
  },
  origin: "people",
  paused: false,
  created_at: AT,
  created_by: "user:admin",
  changed_at: AT,
  counts: { marked: 1, failed: 1, working: 1, skipped: 1, pending: 1 },
  last_pass: BROKEN,
  next_run: "2099-01-01T00:00:00Z",
  actions: ["pause", "run", "retry", "verify", "delete"],
};

/** Answers for the server; what was asked of it beside reading. */
async function answering(page: Page, change: object = {}): Promise<string[]> {
  const sync = { ...structuredClone(SYNC), ...change };
  const asked: string[] = [];
  const answer = (route: Route, json: unknown) => route.fulfill({ json });
  await page.route(/\/api\/v1\/syncs(\/.*)?(\?.*)?$/, async (route) => {
    const request = route.request();
    const url = new URL(request.url());
    const path = url.pathname.slice("/api/v1/syncs".length);
    if (request.method() !== "GET") asked.push(`${request.method()} ${path}`);
    if (path === "") return answer(route, { items: [sync] });
    if (path === "/covers" && request.method() === "DELETE") return route.fulfill({ status: 204 });
    if (path === "/covers") return answer(route, sync);
    if (path === "/covers/passes") return answer(route, { items: PASSES });
    if (path === "/covers/deliveries") {
      const { state, q, target } = Object.fromEntries(url.searchParams);
      const items = DELIVERIES.filter(
        (one) =>
          (!state || one.state === state) &&
          (!target || one.target === target) &&
          (!q || String(one.name).includes(q)),
      );
      return answer(route, { items });
    }
    if (path === "/covers/pause" || path === "/covers/resume") {
      sync.paused = path.endsWith("pause");
      sync.actions = [...(sync.paused ? ["resume"] : ["pause", "run"]), "retry", "delete"];
      return answer(route, sync);
    }
    if (path === "/covers/dry-run") {
      const file = { item: "7", name: LONG, type: "video/mp4", size: 7, target: "videos" };
      return answer(route, { files: [file], deliver: 1, skip: 0, known: 5, more: false });
    }
    if (path === "/covers/check") {
      const items = [
        { what: "Bucket films", ok: true, missing: null },
        { what: "Token (images)", ok: false, missing: "it may not write images" },
      ];
      return answer(route, { items });
    }
    if (path === "/covers/retry") return answer(route, { retried: 1, operation: null });
    if (path.endsWith("/retry")) return answer(route, DELIVERIES[1]);
    return route.fulfill({ status: 404, json: {} });
  });
  return asked;
}

test("a sync's files are filtered in the address, and failed ones tried again", async ({
  page,
}) => {
  const asked = await answering(page);
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Dashboard" })).toBeVisible();
  await page.keyboard.press("g");
  await page.keyboard.press("y");
  await expect(page).toHaveURL(/\/syncs$/);
  await expect(page.getByText("the bucket films → Cloudflare Images and 1 more")).toBeVisible();
  await expect(page.getByText("1 failed")).toBeVisible();
  await expect(page.getByText(`Its last pass failed: ${BROKEN.failure}`)).toBeVisible();
  await page.getByRole("link", { name: "covers" }).click();
  const files = page.getByRole("list", { name: "Files" }).getByRole("listitem");
  await expect(files).toHaveCount(5);
  await page.getByRole("group", { name: "State" }).getByText("Failed 1").click();
  await expect(page).toHaveURL(/state=failed/);
  await expect(files).toHaveCount(1);
  await expect(files).toContainText("5 attempts");
  await expect(files).toContainText("more than 100 megapixels");
  await expect(files).toContainText("waits for somebody to retry it");
  await page.getByRole("button", { name: `Retry ${LONG}` }).click();
  await page.getByRole("button", { name: "Retry 1 failed" }).click();
  await expect.poll(() => asked.length).toBe(2);
  expect(asked).toEqual([
    `POST /covers/deliveries/${DELIVERIES[1]?.id}/retry`,
    "POST /covers/retry",
  ]);
  await page.reload();
  await expect(files).toHaveCount(1);
  await page.getByRole("searchbox").fill("nothing like it");
  await expect(page.getByText("No file of it is like this.")).toBeVisible();
  await page.getByRole("link", { name: "Show all of them" }).click();
  await expect(files).toHaveCount(DELIVERIES.length);
});

test("a sync is paused, looked at without a change, and its passes are seen", async ({ page }) => {
  const asked = await answering(page);
  await page.goto("/syncs/covers");
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await expect(page.getByText("It is paused")).toBeVisible();
  await expect(page.getByRole("button", { name: "Run now" })).toHaveCount(0);
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.getByRole("button", { name: "Run now" })).toBeVisible();
  await page.getByRole("button", { name: "Dry run" }).click();
  await expect(page.getByText("Dry run, nothing was changed: 1 file would be sent")).toBeVisible();
  await expect(page.getByRole("button", { name: "Run for real" })).toBeVisible();
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await expect(page.getByText("Token (images): it may not write images")).toBeVisible();
  expect(asked.map((call) => call.split("/").at(-1))).toEqual([
    "pause",
    "resume",
    "dry-run",
    "check",
  ]);
  await page.getByRole("tab", { name: "Passes" }).click();
  await expect(page).toHaveURL(/tab=passes/);
  const passes = page.getByRole("list", { name: /^Passes of/ });
  await expect(passes.getByRole("img", { name: "With failures" })).toBeVisible();
  await expect(passes.getByText(/12 delivered, 1 not ready yet, 1 failed/)).toBeVisible();
  await expect(
    page.getByRole("img", { name: "Files of 4 passes: 15 delivered, 1 failed" }),
  ).toBeVisible();
  await expect(page.getByRole("img", { name: /^Throughput of 4 passes: at most/ })).toBeVisible();
  await expect(passes.getByRole("link")).toHaveCount(4);
  for (const [end, words] of [
    ["Cut off", "cut off; 3 delivered"],
    ["Running", "nothing done yet"],
    ["Failed", BROKEN.failure],
  ] as const) {
    const pass = passes.getByRole("listitem").filter({ hasText: words });
    await expect(pass.getByRole("img", { name: end, exact: true })).toBeVisible();
  }
});

test("what draws charts comes with the first chart, into a place that is kept", async ({
  page,
}) => {
  await answering(page);
  let asked = 0;
  let release = () => {};
  const released = new Promise<void>((done) => {
    release = done;
  });
  await page.route(/\/assets\/uplot-[^/]*\.js$/, async (route) => {
    asked += 1;
    await released;
    await route.continue();
  });
  await page.goto("/");
  await expect(page.getByLabel("Recent")).toBeVisible();
  await page.goto("/syncs/covers");
  await expect(page.getByText("more than 100 megapixels")).toBeVisible();
  expect(asked).toBe(0);
  await page.getByRole("tab", { name: "Passes" }).click();
  const chart = page.getByRole("img", { name: /^Files of 4 passes/ });
  const timeline = page.getByRole("list", { name: "Timeline" });
  await expect(timeline).toBeVisible();
  await expect.poll(() => asked).toBe(1);
  const before = [await chart.boundingBox(), await timeline.boundingBox()];
  release();
  await expect(chart.locator("canvas")).toBeVisible();
  expect([await chart.boundingBox(), await timeline.boundingBox()]).toEqual(before);
});

test("what the environment says is neither changed nor deleted, but made again", async ({
  page,
}) => {
  await answering(page, { origin: "environment", actions: ["pause", "run"] });
  await page.goto("/syncs/covers?tab=rule&edit=true");
  await expect(page.getByText("said by variables of the environment")).toBeVisible();
  await expect(page.getByRole("link", { name: "Edit rule" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Delete covers" })).toHaveCount(0);
  await expect(page.getByRole("link", { name: "Duplicate" })).toBeVisible();
});

test("what the environment says no more can be deleted", async ({ page }) => {
  const asked = await answering(page, { origin: "environment", actions: ["resume", "delete"] });
  await page.goto("/syncs");
  await expect(page.getByText("said by the environment no more")).toBeVisible();
  await page.getByRole("link", { name: "covers", exact: true }).click();
  await page.getByRole("tab", { name: "Rule" }).click();
  await expect(page.getByText("Variables of the environment said it")).toBeVisible();
  await expect(page.getByRole("link", { name: "Edit rule" })).toHaveCount(0);
  await page.getByRole("button", { name: "Delete covers" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete covers" }).click();
  await expect(page).toHaveURL(/\/syncs$/);
  expect(asked).toEqual(["DELETE /covers"]);
});

test.describe(() => {
  // The browser notes each refusal.
  test.use({ expectedComplaints: /status of 400/ });

  test("a refusal of the server stands at its field, and below a folded part, too", async ({
    page,
  }) => {
    await page.route(/\/api\/v1\/syncs$/, async (route) => {
      if (route.request().method() !== "POST") return route.fulfill({ json: { items: [] } });
      const errors = [
        { field: "report.url", code: "invalid", message: "nobody answers there" },
        { field: "elsewhere", code: "invalid", message: "this has no field" },
      ];
      return route.fulfill({
        status: 400,
        contentType: "application/problem+json",
        json: {
          type: "about:blank",
          title: "No",
          status: 400,
          code: "invalid",
          detail: "No.",
          errors,
        },
      });
    });
    await page.goto("/syncs");
    await expect(page.getByText("Nothing is delivered from here yet.")).toBeVisible();
    await isSound(page, "syncs-empty");
    await page.getByRole("link", { name: "New sync" }).click();
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("refused");
    await page.getByRole("combobox", { name: "Bucket", exact: true }).first().click();
    await page.getByRole("option", { name: "files", exact: true }).click();
    await page.getByRole("combobox", { name: "Bucket", exact: true }).last().click();
    await page.getByRole("option", { name: "files", exact: true }).last().click();
    await page.getByRole("button", { name: "Create sync" }).click();
    const told = page.getByLabel("Address that is told");
    await expect(told).toBeFocused();
    await expect(told).toHaveAccessibleDescription(/nobody answers there/);
    await expect(page.getByText("this has no field")).toBeVisible();
    await isSound(page, "new-sync-refused");
  });
});

/** Whether a chart has a point of this colour. */
function isDrawnIn(page: Page, chart: RegExp, ink: readonly number[]): Promise<boolean> {
  const canvas = page.getByRole("img", { name: chart }).locator("canvas");
  return canvas.evaluate((node, ink) => {
    // A copy is read: the browser complains of charts that are.
    const { width, height } = node as HTMLCanvasElement;
    const copy = Object.assign(document.createElement("canvas"), { width, height });
    const context = copy.getContext("2d", { willReadFrequently: true });
    if (!context || width === 0) return false;
    context.drawImage(node as HTMLCanvasElement, 0, 0);
    const points = context.getImageData(0, 0, width, height).data;
    for (let at = 0; at < points.length; at += 4) {
      if (ink.every((part, index) => points[at + index] === part)) return true;
    }
    return false;
  }, ink);
}

const INKS = {
  light: { good: [0x3b, 0x5b, 0xdb], bad: [0xc9, 0x2a, 0x2a] },
  dark: { good: [0x74, 0x8f, 0xfc], bad: [0xff, 0x87, 0x87] },
};

for (const colorScheme of ["dark", "light"] as const) {
  for (const width of [1280, 400]) {
    test(`syncs are sound in ${colorScheme} at ${width}`, async ({ page }) => {
      await answering(page);
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      const variant = `${colorScheme}-${width}`;
      await page.goto("/syncs");
      await expect(page.getByText("1 failed")).toBeVisible();
      await isSound(page, `syncs-${variant}`);
      await page.goto("/syncs/covers");
      await expect(page.getByText("more than 100 megapixels")).toBeVisible();
      await page.getByRole("button", { name: "Dry run" }).click();
      await page.getByRole("button", { name: "Check", exact: true }).click();
      await expect(page.getByText("Something is missing")).toBeVisible();
      await isSound(page, `sync-files-${variant}`);
      await page.goto("/syncs/covers?tab=passes");
      await expect(page.getByText(/12 delivered/)).toBeVisible();
      const { good, bad } = INKS[colorScheme];
      await expect.poll(() => isDrawnIn(page, /^Files of/, good), "delivered").toBe(true);
      await expect.poll(() => isDrawnIn(page, /^Files of/, bad), "failed").toBe(true);
      await expect.poll(() => isDrawnIn(page, /^Throughput of/, good), "throughput").toBe(true);
      await isSound(page, `sync-passes-${variant}`);
      await page.getByRole("tab", { name: "Rule" }).click();
      await page.getByRole("button", { name: "As the API has it" }).click();
      await isSound(page, `sync-rule-${variant}`);
    });
  }
}
