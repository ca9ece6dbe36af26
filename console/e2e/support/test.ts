// The test function of this suite: a page that must not complain, and the few
// steps that many tests begin with.
import { type APIRequestContext, test as base, expect, type Page } from "@playwright/test";

export { expect };

interface Fixtures {
  /** What a test expects the browser to note, and that is no defect. */
  expectedComplaints: RegExp | null;
  api: Api;
}

export const test = base.extend<Fixtures>({
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

  async #change(method: "post", path: string, data: unknown) {
    const { csrf } = await (await this.#request.get("/api/v1/session")).json();
    const headers = { "X-CSRF-Token": csrf };
    const answer = await this.#request[method](path, { headers, ...(data ? { data } : {}) });
    expect(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
    return answer.json();
  }
}

export function origin(path: string): string {
  return `${process.env.LONGSHORE_TEST_ORIGIN}/${path}`;
}

export function sources(count: number, query = "", prefix = "file"): string[] {
  return Array.from({ length: count }, (_, i) => origin(`${prefix}-${i}.bin${query}`));
}

/** A name that no earlier run has used on the same server. */
export function unique(name: string): string {
  return `${name}-${Date.now().toString(36)}`;
}

export async function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}
