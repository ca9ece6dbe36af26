// The tus server of npm, as it is, with its store of files:
//
//     node --input-type=module --eval THIS FOLDER

import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const directory = process.argv[1];
const server = new Server({
  path: "/files",
  datastore: new FileStore({ directory }),
});
const http = server.listen({ host: "127.0.0.1", port: 0 }, () => {
  console.log(`listens on ${http.address().port} .`);
});
