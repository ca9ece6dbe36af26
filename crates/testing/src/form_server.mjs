// Takes forms as Cloudflare Images does, by the parser that Node has for them, and tells of
// them by GET:
//
//     node --input-type=module --eval THIS

import { createHash } from "node:crypto";
import { createServer } from "node:http";

const taken = [];

async function part([name, value]) {
  if (typeof value === "string") return { name, value };
  const content = Buffer.from(await value.arrayBuffer());
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { name, filename: value.name, type: value.type, size: content.length, sha256 };
}

async function answer(request) {
  if (request.method === "GET") return [200, taken];
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const { "content-type": type, authorization } = request.headers;
  const body = new Response(Buffer.concat(pieces), { headers: { "content-type": type } });
  try {
    const form = await body.formData();
    const parts = await Promise.all([...form].map(part));
    taken.push({ path: request.url, authorization, parts });
    const result = { id: form.get("id") ?? "an id of its own", variants: [] };
    return [200, { result, success: true, errors: [], messages: [] }];
  } catch (error) {
    const errors = [{ code: 5400, message: `Bad request: ${error.message}` }];
    return [400, { result: null, success: false, errors, messages: [] }];
  }
}

const server = createServer(async (request, response) => {
  const [status, body] = await answer(request);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
});
server.listen(0, "127.0.0.1", () => console.log(`listens on ${server.address().port} .`));
