// An HTTP proxy that drops the headers Connection and Upgrade, as one does that
// nobody has told about WebSockets.
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export class PlainProxy {
  #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(target: string): Promise<PlainProxy> {
    const { hostname, port } = new URL(target);
    const server = createServer((incoming, answer) => {
      const { connection: _, upgrade: __, ...headers } = incoming.headers;
      const upstream = request(
        { hostname, port, method: incoming.method, path: incoming.url, headers },
        (response) => {
          answer.writeHead(response.statusCode ?? 502, response.headers);
          response.pipe(answer);
        },
      );
      upstream.on("error", () => answer.destroy());
      answer.on("close", () => upstream.destroy());
      incoming.pipe(upstream);
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return new PlainProxy(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
