// The ZIP library's side: an HTTP server that answers a list of addresses with one
// archive, fetched 16 at once over kept connections and streamed as it grows.

import http from "node:http";
import { createRequire } from "node:module";

const archiver = createRequire(process.argv[2] + "/")("archiver");
const AT_ONCE = 16;
const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });

function open(url) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`${url}: ${response.statusCode}`));
    });
    request.on("error", reject);
  });
}

const server = http.createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const { sources } = JSON.parse(Buffer.concat(parts).toString());
  response.writeHead(200, { "Content-Type": "application/zip", Connection: "close" });
  const archive = archiver("zip", { store: true });
  archive.on("error", (error) => response.destroy(error));
  archive.pipe(response);
  let next = 0;
  let free = AT_ONCE;
  let left = sources.length;
  const more = () => {
    while (free > 0 && next < sources.length) {
      const url = sources[next++];
      free--;
      open(url).then(
        (body) => archive.append(body, { name: new URL(url).pathname.split("/").pop() }),
        (error) => response.destroy(error),
      );
    }
  };
  archive.on("entry", () => {
    free++;
    if (--left === 0) archive.finalize();
    else more();
  });
  more();
});

server.listen(0, "127.0.0.1", () => console.log(`ready 127.0.0.1:${server.address().port}`));
