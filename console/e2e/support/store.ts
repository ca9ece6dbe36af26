// As much of an S3 store as a bucket needs to be made on it and compared with it: a list
// of one object, which somebody else has put there.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export const THEIRS = "theirs.txt";
const ETAG = '"5d41402abc4b2a76b9719d911017c592"';
const CONTENT = "hello";

export class Store {
  readonly url: string;
  #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<Store> {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://store.test");
      if (url.searchParams.get("list-type") === "2") {
        response.writeHead(200, { "content-type": "application/xml" });
        response.end(list(url.searchParams));
        return;
      }
      const there = url.pathname.endsWith(`/${THEIRS}`);
      if (!there || !["GET", "HEAD"].includes(request.method ?? "")) {
        response.writeHead(there ? 405 : 404).end();
        return;
      }
      response.writeHead(200, {
        etag: ETAG,
        "content-type": "text/plain",
        "content-length": CONTENT.length,
        "last-modified": "Sat, 21 Nov 2026 10:00:00 GMT",
      });
      response.end(request.method === "HEAD" ? "" : CONTENT);
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return new Store(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}

function list(asked: URLSearchParams): string {
  const prefix = asked.get("prefix") ?? "";
  const after = asked.get("start-after") ?? "";
  const listed = THEIRS.startsWith(prefix) && THEIRS > after;
  const contents = `<Contents><Key>${THEIRS}</Key><LastModified>2026-11-21T10:00:00.000Z</LastModified><ETag>${ETAG.replaceAll('"', "&quot;")}</ETag><Size>${CONTENT.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
  return `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>theirs</Name><Prefix>${prefix}</Prefix><KeyCount>${listed ? 1 : 0}</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>${listed ? contents : ""}</ListBucketResult>`;
}
