// An origin to fetch from: files of known content, with latency, failures and
// trickles as the address asks for them.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** The bytes of file `name`: the name over and over, `size` long. */
export function contentOf(name: string, size: number): Buffer {
  return Buffer.alloc(size, `${name} `);
}

export async function startOrigin(): Promise<{ url: string; server: Server }> {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://origin.test");
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
    const pause = number("trickle", 0);
    if (pause === 0) {
      response.end(content);
      return;
    }
    for (let from = 0; from < size && !response.destroyed; from += 1024) {
      response.write(content.subarray(from, from + 1024));
      await wait(pause);
    }
    response.end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, server };
}
