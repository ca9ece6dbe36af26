// The test function of this suite: a page that must not complain, and the few
// steps that many tests begin with.
import { type APIRequestContext, test as base, expect } from "@playwright/test";

import { RELEASE } from "./origin.ts";
import { type Database, ownOf, type Server } from "./servers.ts";

export { expect };

interface Fixtures {
  /** What a test expects the browser to note, and that is no defect. */
  expectedComplaints: RegExp | null;
  api: Api;
  /** Lets go what a test that failed still holds: it would keep the next ones waiting. */
  letGo: undefined;
}

interface WorkerFixtures {
  /** What the server keeps its rows in; a project of the configuration says so. */
  database: Database;
  /** The server that only this worker drives. */
  server: Server;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  database: ["given", { option: true, scope: "worker" }],
  server: [
    async ({ database }, use, { parallelIndex }) => use(ownOf(database, parallelIndex)),
    { scope: "worker" },
  ],
  baseURL: ({ server }, use) => use(server.url),
  storageState: ({ server }, use) => use(server.state),
  expectedComplaints: [null, { option: true }],
  page: async ({ page, expectedComplaints }, use) => {
    const complaints: string[] = [];
    const complain = (text: string) => {
      if (!expectedComplaints?.test(text)) complaints.push(text);
    };
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complain(message.text());
    });
    page.on("pageerror", (error) => complain(`uncaught: ${error.message}`));
    await use(page);
    expect(complaints, "what the browser complained about").toEqual([]);
  },
  api: async ({ request }, use) => use(new Api(request)),
  letGo: [
    // biome-ignore lint/correctness/noEmptyPattern: it needs no other fixture
    async ({}, use) => {
      await use(undefined);
      await Promise.all([...holding].map(release));
    },
    { auto: true },
  ],
});

/** The same API as the console uses, for setting a scene. */
export class Api {
  #request: APIRequestContext;
  constructor(request: APIRequestContext) {
    this.#request = request;
  }

  async makeBundle(name: string, sources: string[]): Promise<{ id: string }> {
    return this.#change("post", "/api/v1/bundles", { name, sources });
  }

  async cancel(id: string): Promise<void> {
    await this.#change("post", `/api/v1/operations/${id}/cancel`, undefined);
  }

  async operation(id: string): Promise<{ state: string; last_seq: number }> {
    return (await this.#request.get(`/api/v1/operations/${id}`)).json();
  }

  async bundle(id: string): Promise<{ state: string; size: number | null }> {
    return (await this.#request.get(`/api/v1/bundles/${id}`)).json();
  }

  async ended(id: string): Promise<string> {
    await expect
      .poll(async () => (await this.operation(id)).state, { timeout: 40_000 })
      .not.toMatch(/queued|running/);
    return (await this.operation(id)).state;
  }

  async change(path: string, data: unknown): Promise<Record<string, unknown>> {
    return this.#change("post", path, data);
  }

  async put(path: string, data: unknown): Promise<void> {
    await this.#change("put", path, data);
  }

  async putFile(
    path: string,
    content: string | Buffer,
    type = "text/plain",
    bucket = "files",
  ): Promise<void> {
    const { csrf } = await (await this.#request.get("/api/v1/session")).json();
    const answer = await this.#request.put(fileUrl(path, bucket), {
      headers: { "X-CSRF-Token": csrf, "Content-Type": type },
      data: typeof content === "string" ? Buffer.from(content) : content,
    });
    expect(answer.ok(), `${path}: ${answer.status()}`).toBe(true);
  }

  async deleteFile(path: string, bucket = "files"): Promise<void> {
    const { csrf } = await (await this.#request.get("/api/v1/session")).json();
    const answer = await this.#request.delete(fileUrl(path, bucket), {
      headers: { "X-CSRF-Token": csrf },
    });
    expect(answer.ok(), `${path}: ${answer.status()}`).toBe(true);
  }

  /** The content of a file, or null where there is none. */
  async fileContent(path: string, bucket = "files"): Promise<Buffer | null> {
    const answer = await this.#request.get(fileUrl(path, bucket));
    return answer.ok() ? answer.body() : null;
  }

  async #change(method: "post" | "put", path: string, data: unknown) {
    const { csrf } = await (await this.#request.get("/api/v1/session")).json();
    const headers = { "X-CSRF-Token": csrf };
    const answer = await this.#request[method](path, { headers, ...(data ? { data } : {}) });
    expect(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
    const text = await answer.text();
    return text === "" ? {} : JSON.parse(text);
  }
}

function fileUrl(path: string, bucket: string): string {
  return `/api/v1/buckets/${bucket}/files/${path.split("/").map(encodeURIComponent).join("/")}`;
}

export function origin(path: string): string {
  return `${process.env.LONGSHORE_TEST_ORIGIN}/${path}`;
}

export function sources(count: number, query = "", prefix = "file"): string[] {
  return Array.from({ length: count }, (_, i) => origin(`${prefix}-${i}.bin${query}`));
}

const holding = new Set<string>();

/** Sources that stop half-way until `release` is called with the same name. */
export function held(count: number, name: string, prefix = "held"): string[] {
  holding.add(name);
  return sources(count, `?size=2048&hold=${name}`, prefix);
}

export async function release(name: string): Promise<void> {
  const answer = await fetch(`${origin(RELEASE.slice(1))}?hold=${name}`);
  expect(answer.ok).toBe(true);
  holding.delete(name);
}

let made = 0;

/** A name that no earlier run has used on the same server. */
export function unique(name: string): string {
  made += 1;
  return `${name}-${Date.now().toString(36)}-${made}`;
}
