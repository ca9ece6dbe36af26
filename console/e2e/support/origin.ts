// An origin to fetch from: files of known content, with latency and failures as the
// address asks for them. What has `hold=NAME` sends half of its content, and the rest
// once a test releases that name.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** The bytes of file `name`: the name over and over, `size` long. */
export function contentOf(name: string, size: number): Buffer {
  return Buffer.alloc(size, `${name} `);
}

/** The path that lets go what is held under `?hold=NAME`. */
export const RELEASE = "/release";

class Holds {
  #open = new Map<string, { released: Promise<void>; release: () => void }>();

  released(name: string): Promise<void> {
    return this.#of(name).released;
  }

  release(name: string): void {
    this.#of(name).release();
  }

  #of(name: string) {
    const known = this.#open.get(name);
    if (known) return known;
    let release = () => {};
    const released = new Promise<void>((resume) => {
      release = resume;
    });
    const hold = { released, release };
    this.#open.set(name, hold);
    return hold;
  }
}

export async function startOrigin(): Promise<{ url: string; server: Server }> {
  const holds = new Holds();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://origin.test");
    const hold = url.searchParams.get("hold");
    if (url.pathname === RELEASE) {
      holds.release(hold ?? "");
      response.end("released");
      return;
    }
    const name = decodeURIComponent(url.pathname.slice(1));
    const number = (key: string, otherwise: number) =>
      Number(url.searchParams.get(key) ?? otherwise);
    const status = number("status", 200);
    const size = number("size", 1024);
    await wait(number("delay", 0));
    if (status !== 200) {
      response.writeHead(status, { "content-type": "text/plain" });
      response.end("no");
      return;
    }
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-length": size,
      "last-modified": "Sat, 21 Nov 2026 10:00:00 GMT",
    });
    const content = contentOf(name, size);
    if (hold === null) {
      response.end(content);
      return;
    }
    const half = Math.floor(size / 2);
    response.write(content.subarray(0, half));
    await holds.released(hold);
    response.end(content.subarray(half));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, server };
}
