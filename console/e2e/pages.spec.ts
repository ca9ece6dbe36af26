// Every page and overlay in both schemes and at both widths: no accessibility
// violation, no sideways scroll, nothing in the browser's console.
import type { Locator, Page } from "@playwright/test";
import { CuttableProxy } from "./support/cuttable-proxy.ts";
import { isSound } from "./support/sound.ts";
import { expect, held, origin, release, sources, test, unique } from "./support/test.ts";

const scene = { bundle: "", bucket: "" };

test.beforeAll(async ({ playwright, server }) => {
  const { Api } = await import("./support/test.ts");
  const request = await playwright.request.newContext({
    baseURL: server.url,
    storageState: server.state,
  });
  const api = new Api(request);
  const { id } = await api.makeBundle("covers-for-looking-at", [
    ...sources(12),
    origin("missing.jpg?status=404"),
  ]);
  await api.ended(id);
  scene.bundle = id;
  await api.change("/api/v1/tokens", {
    name: unique("a-token"),
    scopes: ["operations:read"],
    expires_in: 86_400,
  });
  await api.put("/api/v1/secrets/A_SECRET", { value: "kept to itself" });
  for (const path of ["covers/may.txt", "covers/june.json", "covers/old/april.txt"]) {
    await api.putFile(`looks/${path}`, `${path}\n`);
  }
  await api.putFile(
    "looks/a name that is rather long, so that it does not fit a phone.txt",
    "long",
  );
  await api.putFile("looks/deleted.txt", "gone");
  await api.deleteFile("looks/deleted.txt");
  scene.bucket = unique("ruled");
  await api.change("/api/v1/buckets", { name: scene.bucket, settings: { versions: true } });
  for (const content of ["one", "two", "three"]) {
    await api.putFile("kept.txt", content, "text/plain", scene.bucket);
  }
  await api.change(`/api/v1/buckets/${scene.bucket}/grants`, {
    user: "admin",
    prefix: "a folder with a rather long name, so that it does not fit a phone/",
    permissions: ["read", "list", "write", "delete", "share"],
  });
  await api.change(`/api/v1/buckets/${scene.bucket}/webhooks`, {
    url: origin("a-long-address/of-a-webhook/that-does-not-fit-a-phone/at-all"),
    prefix: "covers/",
  });
  await api.change("/api/v1/access-keys", { name: unique("rclone") });
  await request.dispose();
});

interface Shown {
  name: string;
  path: () => string;
  /** What is there once all of it has arrived. */
  ready: (page: Page) => Locator;
}

const PAGES: readonly Shown[] = [
  {
    name: "dashboard",
    path: () => "/",
    ready: (page) =>
      page
        .getByLabel("Recent")
        .getByRole("link", { name: /covers/ })
        .first(),
  },
  {
    name: "bundles",
    path: () => "/bundles",
    ready: (page) => page.getByRole("link", { name: /covers-for-looking-at/ }).first(),
  },
  {
    name: "bundle",
    path: () => `/bundles/${scene.bundle}`,
    ready: (page) => page.getByRole("row", { name: /missing\.jpg/ }),
  },
  {
    name: "files",
    path: () => "/files/files/looks",
    ready: (page) => page.getByRole("link", { name: /^covers/ }),
  },
  {
    name: "files-tiles",
    path: () => "/files/files/looks?as=tiles",
    ready: (page) => page.getByRole("link", { name: /^covers/ }),
  },
  {
    name: "files-empty",
    path: () => "/files/files/nothing/in/here",
    ready: (page) => page.getByText("Nothing is here yet."),
  },
  {
    name: "files-found",
    path: () => "/files/files/looks?q=april",
    ready: (page) => page.getByRole("link", { name: /april/ }),
  },
  {
    name: "files-trash",
    path: () => "/files/files?view=trash",
    ready: (page) => page.getByText("looks/deleted.txt").first(),
  },
  {
    name: "files-versions",
    path: () => `/files/${scene.bucket}?view=versions`,
    ready: (page) => page.getByText("kept.txt").first(),
  },
  {
    name: "bucket-about",
    path: () => `/buckets/${scene.bucket}/about`,
    ready: (page) => page.getByRole("button", { name: "Delete bucket" }),
  },
  {
    name: "bucket-rules",
    path: () => `/buckets/${scene.bucket}/rules`,
    ready: (page) => page.getByLabel("Days in the trash"),
  },
  {
    name: "bucket-grants",
    path: () => `/buckets/${scene.bucket}/grants`,
    ready: (page) => page.getByText(/below a folder with/),
  },
  {
    name: "bucket-webhooks",
    path: () => `/buckets/${scene.bucket}/webhooks`,
    ready: (page) => page.getByText(/a-long-address/),
  },
  {
    name: "bucket-store-on-disk",
    path: () => `/buckets/${scene.bucket}/store`,
    ready: (page) => page.getByText(/lies on the disk of this server/),
  },
  { name: "activity", path: () => "/activity", ready: (page) => page.getByRole("row").nth(1) },
  {
    name: "activity-empty",
    path: () => "/activity?text=nothing-has-these-words",
    ready: (page) => page.getByText("No operation matches these filters"),
  },
  {
    name: "operation",
    path: () => `/operations/${scene.bundle}`,
    ready: (page) => page.locator("[data-seq]").first(),
  },
  {
    name: "account",
    path: () => "/settings/account",
    ready: (page) => page.getByText(/\(this one\)/),
  },
  {
    name: "users",
    path: () => "/settings/users",
    ready: (page) => page.getByText("(you)"),
  },
  {
    name: "tokens",
    path: () => "/settings/tokens",
    ready: (page) => page.getByText(/^a-token/).first(),
  },
  {
    name: "access-keys",
    path: () => "/settings/access-keys",
    ready: (page) => page.getByText(/^rclone/).first(),
  },
  {
    name: "secrets",
    path: () => "/settings/secrets",
    ready: (page) => page.getByText("A_SECRET"),
  },
  {
    name: "schedules",
    path: () => "/settings/schedules",
    ready: (page) => page.getByText("bundle-expiry").first(),
  },
  {
    name: "audit",
    path: () => "/settings/audit",
    ready: (page) => page.getByText("secret.put").first(),
  },
  {
    name: "about",
    path: () => "/settings/about",
    ready: (page) => page.getByText("Running since"),
  },
  {
    name: "not-found",
    path: () => "/no/such/page",
    ready: (page) => page.getByRole("heading", { name: /nothing at this address/ }),
  },
];

// Each on a server of its own worker, with a scene of its own.
test.describe.configure({ mode: "parallel" });

// At a width the elements are the same in both schemes: every rule is asked in one.
const VARIANTS = (
  [
    ["light", 1280],
    ["dark", 1280],
    ["light", 768],
    ["light", 400],
    ["dark", 400],
  ] as const
).map(([colorScheme, width]) => ({
  colorScheme,
  width,
  name: `${colorScheme}-${width}`,
  known: colorScheme === "dark",
}));

async function isSoundInAll(page: Page, name: string, ready: Locator) {
  for (const { colorScheme, width, name: variant, known } of VARIANTS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", colorScheme);
    await expect(ready).toBeVisible();
    await isSound(page, `${name}-${variant}`, { known });
  }
}

for (const { name, path, ready } of PAGES) {
  test(`${name} is sound in both schemes and widths`, async ({ page }) => {
    await page.goto(path());
    await isSoundInAll(page, name, ready(page));
  });
}

test("a running bundle is sound in both schemes and widths", async ({ page, api }) => {
  const hold = unique("running");
  const { id } = await api.makeBundle("running", [...sources(3), ...held(3, hold)]);
  await page.goto(`/bundles/${id}`);
  await expect(page.getByText(/^Fetching 3$/)).toBeVisible();
  const cancel = page.getByRole("button", { name: "Cancel" });
  await isSoundInAll(page, "running-bundle", cancel);
  // What runs is at hand everywhere, with the newest line of its log.
  await page.getByRole("button", { name: /^Operations: .*running/ }).click();
  const drawer = page.getByRole("dialog", { name: "Running and queued operations" });
  await expect(drawer).toContainText(/file-\d\.bin/);
  await isSound(page, "running-drawer");

  // The page of its operation, on a phone; it ends there.
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto(`/operations/${id}`);
  await expect(page.getByLabel("Log lines")).toContainText("file-2.bin");
  const bar = page.getByRole("progressbar", { name: /^Progress of / });
  await expect(bar).toHaveAttribute("aria-valuetext", "50 %");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", colorScheme);
    await isSound(page, `running-operation-${colorScheme}-400`, { known: colorScheme === "dark" });
  }
  await cancel.click();
  await expect(page.locator("[data-state=cancelled]").first()).toBeVisible();
  await expect(cancel).toHaveCount(0);
  await expect(bar).toHaveCount(0);
  expect(await api.ended(id)).toBe("cancelled");
  await release(hold);
});

test.describe("a form that is refused", () => {
  test.use({ expectedComplaints: /status of 400/ });

  test("the form of a schedule is sound, and says what an expression means", async ({ page }) => {
    await page.goto("/settings/schedules");
    await page.getByRole("button", { name: "New schedule" }).click();
    const preview = page.locator("p").filter({ hasText: /^Next, in your time/ });
    await isSoundInAll(page, "schedule-form", preview);
    await page.getByLabel("When").fill("99 * * * *");
    await expect(preview).toHaveCount(0);
  });
});

test.describe("trouble", () => {
  // Axe would look into style sheets, too, which nobody gives it where the line is cut.
  test.use({
    expectedComplaints:
      /status of 4|WebSocket connection .* failed|ERR_(CONNECTION|EMPTY|NETWORK|SOCKET)|preload assets/,
  });

  test("an error panel is sound in both schemes and widths", async ({ page }) => {
    await page.goto("/operations/00000000-0000-7000-8000-000000000000");
    const panel = page.getByRole("alert").filter({ hasText: "could not be read" });
    await isSoundInAll(page, "error", panel);
  });

  test("the banner of a lost connection is sound in both schemes and widths", async ({
    page,
    server,
  }) => {
    const proxy = await CuttableProxy.start(server.url);
    await page.goto(`${proxy.url}/bundles`);
    await expect(page.getByText("Live", { exact: true })).toBeVisible();
    proxy.cut();
    const banner = page.getByRole("alert").filter({ hasText: "live connection is lost" });
    await isSoundInAll(page, "lost", banner);
    await proxy.stop();
  });
});

for (const { colorScheme, width, name: variant, known } of VARIANTS) {
  test.describe(variant, () => {
    test.use({ colorScheme, viewport: { width, height: 800 } });

    test("overlays are sound", async ({ page }) => {
      await page.goto("/activity");
      await expect(page.getByRole("row").nth(1)).toBeVisible();
      await page.keyboard.press("Control+k");
      await expect(page.getByRole("dialog")).toBeVisible();
      await isSound(page, `palette-${variant}`, { known });
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
      await page.keyboard.press("?");
      await expect(page.getByText("Keyboard shortcuts")).toBeVisible();
      await isSound(page, `keys-${variant}`, { known });
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
      await page.getByRole("button", { name: /^User menu/ }).click();
      await expect(page.getByRole("menuitem", { name: "Log out" })).toBeVisible();
      await isSound(page, `user-menu-${variant}`, { known });
      await page.keyboard.press("Escape");
      await page
        .getByRole("button", { name: /^(Nothing runs|Asking what runs…|Operations: .*)$/ })
        .click();
      await expect(page.getByRole("dialog")).toBeVisible();
      await isSound(page, `running-${variant}`, { known });
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
      if (width < 768) {
        const bundles = page.getByRole("navigation").getByRole("link", { name: /^Bundles/ });
        await expect(bundles).toBeHidden();
        await page.getByRole("button", { name: "Open the menu" }).click();
        await expect(bundles).toBeVisible();
        await isSound(page, `menu-${variant}`, { known });
        await bundles.click();
        await expect(page).toHaveURL(/\/bundles$/);
        await expect(bundles).toBeHidden();
      }
      await page.goto(`/activity?open=${scene.bundle}`);
      await expect(page.getByRole("dialog").getByLabel("Log lines")).toBeVisible();
      await isSound(page, `operation-drawer-${variant}`, { known });
      await page.goto(`/bundles/${scene.bundle}`);
      await page.getByRole("button", { name: "Delete" }).click();
      await expect(
        page.getByRole("button", { name: "Delete covers-for-looking-at.zip" }),
      ).toBeVisible();
      await isSound(page, `delete-${variant}`, { known });
    });

    test("overlays of a bucket are sound", async ({ page }) => {
      await page.goto(`/files/${scene.bucket}?open=kept.txt`);
      const drawer = page.getByRole("dialog");
      await expect(drawer.getByRole("region", { name: "Older versions" })).toBeVisible();
      await isSound(page, `file-versions-${variant}`, { known });
      await page.goto(`/files/${scene.bucket}?view=versions`);
      await page.getByRole("checkbox", { name: "Choose kept.txt" }).first().click();
      await expect(page.getByText(/^1 chosen/)).toBeVisible();
      await isSound(page, `versions-chosen-${variant}`, { known });
      await page.goto(`/buckets/${scene.bucket}/rules`);
      await page.getByLabel("Days in the trash").fill("3");
      await expect(page.getByRole("region", { name: "What will change" })).toBeVisible();
      await isSound(page, `rules-changed-${variant}`, { known });
      await page.getByRole("link", { name: "About", exact: true }).click();
      await expect(page.getByRole("button", { name: "Stay here" })).toBeVisible();
      await isSound(page, `rules-leaving-${variant}`, { known });
      await page.getByRole("button", { name: "Leave without saving" }).click();
      await expect(page).toHaveURL(/\/about$/);
    });

    test.describe("with an upload that is refused", () => {
      test.use({ expectedComplaints: /status of 412/ });

      test("overlays of files are sound", async ({ page }) => {
        await page.goto("/files/files/looks/covers?open=looks%2Fcovers%2Fmay.txt");
        await expect(page.getByRole("dialog").locator("pre")).toBeVisible();
        await isSound(page, `file-drawer-${variant}`, { known });
        await page.keyboard.press("Escape");
        await expect(page.getByRole("dialog")).toHaveCount(0);
        await page.getByRole("row", { name: /june/ }).getByRole("checkbox").click();
        await page.getByRole("row", { name: /may/ }).getByRole("checkbox").click();
        await expect(page.getByText(/^2 chosen/)).toBeVisible();
        await isSound(page, `files-chosen-${variant}`, { known });
        await page.getByRole("button", { name: "Move", exact: true }).click();
        await expect(page.getByRole("dialog").getByLabel("Folder")).toBeVisible();
        await isSound(page, `files-move-${variant}`, { known });
        await page.keyboard.press("Escape");
        await expect(page.getByRole("dialog")).toHaveCount(0);
        await page.getByRole("button", { name: "More of this bucket" }).click();
        await expect(page.getByRole("menuitem", { name: "Bucket settings" })).toBeVisible();
        await isSound(page, `files-menu-${variant}`, { known });
        await page.keyboard.press("Escape");
        await expect(page.getByRole("menu")).toHaveCount(0);
        await page
          .locator("input[type=file]")
          .first()
          .setInputFiles([
            { name: "may.txt", mimeType: "text/plain", buffer: Buffer.from("again") },
            { name: `new-${variant}.txt`, mimeType: "text/plain", buffer: Buffer.from("new") },
          ]);
        const tray = page.getByRole("region", { name: "Uploads" });
        await expect(tray.getByText("A file lies there already")).toBeVisible();
        await expect(tray.getByText(/Uploaded, 3 B/)).toBeVisible();
        await isSound(page, `uploads-${variant}`, { known });
      });
    });
  });
}

test.describe("log-in", () => {
  test.use({
    storageState: { cookies: [], origins: [] },
    expectedComplaints: /status of 401/,
  });
  for (const colorScheme of ["dark", "light"] as const) {
    for (const width of [1280, 400]) {
      test(`is sound in ${colorScheme} at ${width}`, async ({ page }) => {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        await page.goto("/login");
        await expect(page.getByLabel("User name")).toBeVisible();
        await isSound(page, `login-${colorScheme}-${width}`);
      });
    }
  }
});
