// Cloudflare's client of npm, as it is:
//
//     node --input-type=module --eval THIS API ACCOUNT TOKEN

import Cloudflare, { toFile } from "cloudflare";

const [baseURL, account_id, apiToken] = process.argv.slice(1);
const client = new Cloudflare({ apiToken, baseURL, maxRetries: 0 });
const said = {};

said.token = (await client.user.tokens.verify()).status;

const picture = async () => ({
  account_id,
  id: "file/npm",
  file: await toFile(Buffer.alloc(1000, 7), "a.png", { type: "image/png" }),
  metadata: JSON.stringify({ by: "npm" }),
});
said.made = (await client.images.v1.create(await picture())).id;
try {
  await client.images.v1.create(await picture());
} catch (error) {
  said.again = error.errors[0].code;
}
const got = await client.images.v1.get("file/npm", { account_id });
said.got = { id: got.id, filename: got.filename, by: got.meta.by };
const page = await client.images.v2.list({ account_id, per_page: 10 });
said.listed = page.images.map((image) => image.id);
said.count = (await client.images.v1.stats.get({ account_id })).count.current;
await client.images.v1.delete("file/npm", { account_id });
try {
  await client.images.v1.get("file/npm", { account_id });
} catch (error) {
  said.gone = error.status;
}

const answer = await client.stream
  .create({
    account_id,
    body: {},
    "Tus-Resumable": "1.0.0",
    "Upload-Length": 1000,
    "Upload-Metadata": `name ${Buffer.from("npm").toString("base64")}`,
  })
  .asResponse();
const uid = answer.headers.get("stream-media-id");
const films = await client.stream.list({ account_id });
said.films = films.result.map((film) => ({
  name: film.meta.name,
  state: film.status.state,
  size: film.size,
}));
said.film = (await client.stream.get(uid, { account_id })).meta.name;
await client.stream.delete(uid, { account_id });
said.films_after = (await client.stream.list({ account_id })).result;
console.log(JSON.stringify(said));
