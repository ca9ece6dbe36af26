// A bucket itself: who may, whom it tells, who tells it; and the keys of S3 clients.
import { isSound } from "./support/sound.ts";
import { Store, THEIRS } from "./support/store.ts";
import { expect, origin, test, unique } from "./support/test.ts";

test("a grant is given to a person, a token and an access key, and taken back", async ({
  page,
  api,
}) => {
  const bucket = unique("granted");
  await api.change("/api/v1/buckets", { name: bucket, settings: { by_role: false } });
  const person = unique("vera");
  const password = "a long enough password";
  await api.change("/api/v1/users", { name: person, role: "viewer", password });
  const token = unique("robot");
  await api.change("/api/v1/tokens", { name: token, scopes: ["files:read"], expires_in: 86_400 });
  const key = unique("rclone");
  await api.change("/api/v1/access-keys", { name: key });

  await page.goto(`/buckets/${bucket}/grants`);
  await expect(page.getByText(/only who has a grant/)).toBeVisible();
  const who = page.getByRole("combobox", { name: "Who" });
  const grant = page.getByRole("button", { name: "Grant it" });
  await grant.click();
  await expect(page.getByText("Say to whom")).toBeVisible();
  await who.fill(person);
  await page.getByRole("option", { name: person }).click();
  await page.getByLabel("Where").fill("covers/");
  await page.getByRole("checkbox", { name: "write" }).click();
  await grant.click();
  await expect(page.getByText(/below covers\/ · granted/)).toBeVisible();

  for (const [kind, name] of [
    ["An API token", token],
    ["An access key", key],
  ] as const) {
    await page.getByRole("combobox", { name: "To", exact: true }).click();
    await page.getByRole("option", { name: kind }).click();
    await who.fill(name);
    await page.getByRole("option", { name: new RegExp(name) }).click();
    await grant.click();
  }
  await expect(page.getByText(`token ${token} of admin`)).toBeVisible();
  await expect(page.getByText(`access key ${key} of admin`)).toBeVisible();
  await isSound(page, "grants-filled");

  await page
    .getByRole("button", { name: `Take back the grant of ${person} below covers/` })
    .click();
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /^Take back the grant of/ })
    .click();
  await expect(page.getByRole("button", { name: new RegExp(`grant of ${person}`) })).toHaveCount(0);
});

test("a webhook's key is shown once, and each delivery is seen and tried again", async ({
  page,
  api,
}) => {
  const bucket = unique("told");
  await api.change("/api/v1/buckets", { name: bucket });
  await page.goto(`/buckets/${bucket}/webhooks`);
  const address = page.getByLabel("Address");
  await address.fill("ftp://example.org/");
  await page.getByRole("button", { name: "Add webhook" }).click();
  await expect(page.getByText("Give an http or https address")).toBeVisible();
  const refuses = origin("refuses?status=503");
  await address.fill(refuses);
  await page.getByRole("button", { name: "Add webhook" }).click();
  const made = page.getByRole("alert").filter({ hasText: "only time its key is shown" });
  await expect(made.locator("pre").first()).toHaveText(/^whs_[0-9a-f]{64}$/);
  await isSound(page, "webhook-made");
  await page.reload();
  await expect(made).toHaveCount(0);

  await page.getByRole("button", { name: `Deliveries to ${refuses}` }).click();
  await expect(page.getByText("It was told nothing yet")).toBeVisible();
  await api.putFile("a.txt", "a", "text/plain", bucket);
  const deliveries = page.getByRole("link", { name: "Tell of files" });
  await expect(deliveries).toHaveCount(1);
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.locator("[data-state=cancelled]")).toBeVisible();
  await page.getByRole("button", { name: "Tell it again" }).click();
  await expect(deliveries).toHaveCount(2);
  await isSound(page, "webhook-deliveries");
  await page.getByRole("button", { name: `Delete ${refuses}` }).click();
  await page
    .getByRole("dialog")
    .getByRole("button", { name: `Delete ${refuses}` })
    .click();
  await expect(page.getByText("Nobody is told of these files yet.")).toBeVisible();

  const takes = origin("takes");
  await address.fill(takes);
  await page.getByLabel("Only below").fill("covers/");
  await page.getByRole("button", { name: "Add webhook" }).click();
  await page.getByRole("button", { name: `Deliveries to ${takes}` }).click();
  await api.putFile("covers/b.txt", "b", "text/plain", bucket);
  await expect(page.locator("[data-state=succeeded]")).toHaveCount(1);
  const told = page.getByRole("switch", { name: `${takes} is told` });
  await told.press("Space");
  await expect(page.getByText("Off", { exact: true })).toBeVisible();
  await api.putFile("covers/c.txt", "c", "text/plain", bucket);
  await told.press("Space");
  await expect(page.getByText("On", { exact: true })).toBeVisible();
  await api.putFile("covers/d.txt", "d", "text/plain", bucket);
  await expect(page.locator("[data-state=succeeded]")).toHaveCount(2);
});

test.describe("a bucket in a store", () => {
  // The browser notes that there is no hook yet.
  test.use({ expectedComplaints: /status of 404/ });

  test("its store tells of objects with a secret that is shown once, and is compared", async ({
    page,
    api,
    request,
  }) => {
    const store = await Store.start();
    const bucket = unique("afloat");
    await api.put(`/api/v1/secrets/${bucket}`, { value: "the store's own secret" });
    await api.change("/api/v1/buckets", {
      name: bucket,
      storage: {
        kind: "s3",
        endpoint: store.url,
        region: "us-east-1",
        bucket: "theirs",
        path_style: true,
        access_key: "KEY",
        secret: bucket,
      },
    });
    await page.goto(`/buckets/${bucket}/store`);
    await expect(page.getByText("No store tells of its objects yet.")).toBeVisible();
    await page.getByRole("button", { name: "Make a secret" }).click();
    const once = page.getByRole("alert").filter({ hasText: "only time the secret is shown" });
    const secret = await once.locator("pre").first().innerText();
    expect(secret).toMatch(/^hks_/);
    await expect(once.locator("pre").nth(1)).toContainText(`/hooks/s3/${bucket}?secret=${secret}`);
    const heard = await request.get(`/hooks/s3/${bucket}`, {
      headers: { Authorization: `Bearer ${secret}` },
    });
    expect(heard.status()).toBe(204);
    await isSound(page, "store-hook-made");

    await page.getByRole("button", { name: "Dry run" }).click();
    const compared = page.getByRole("region", { name: "Comparing now" });
    await expect(compared.locator("[data-state=succeeded]")).toBeVisible();
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await expect(compared.locator("[data-state=succeeded]")).toBeVisible();
    await isSound(page, "store-compared");
    await page.goto(`/files/${bucket}`);
    await expect(page.getByRole("link", { name: THEIRS })).toBeVisible();

    await page.goto(`/buckets/${bucket}/store`);
    await page.getByLabel("When").fill("15 4 * * *");
    await expect(page.getByText(/04:15/).first()).toBeVisible();
    await page.getByRole("button", { name: "Compare then" }).click();
    await expect(page.getByText(`compare-${bucket}`, { exact: true })).toBeVisible();
    await isSound(page, "store-scheduled");
    await page.getByRole("button", { name: "End what the store tells" }).click();
    await page
      .getByRole("dialog")
      .getByRole("button", { name: "End what the store tells" })
      .click();
    await expect(page.getByText("No store tells of its objects yet.")).toBeVisible();
    await page.getByRole("button", { name: `Delete compare-${bucket}` }).click();
    await page
      .getByRole("dialog")
      .getByRole("button", { name: /^Delete compare/ })
      .click();
    await expect(page.getByLabel("When")).toBeVisible();
    await store.stop();
  });
});

test("an access key is shown once, and deleted", async ({ page }) => {
  const name = unique("aws-at-home");
  await page.goto("/settings/access-keys");
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Create access key" }).click();
  const issued = page.getByRole("alert").filter({ hasText: "only time its secret is shown" });
  await expect(issued.locator("pre").first()).toHaveText(
    /^AWS_ACCESS_KEY_ID=LSH\w{17}\nAWS_SECRET_ACCESS_KEY=\w{40}$/,
  );
  await isSound(page, "access-key-made");
  await page.reload();
  await expect(issued).toHaveCount(0);
  await page.getByRole("button", { name: `Delete ${name}` }).click();
  await page
    .getByRole("dialog")
    .getByRole("button", { name: `Delete ${name}` })
    .click();
  await expect(page.getByText(name, { exact: true })).toHaveCount(0);
});
