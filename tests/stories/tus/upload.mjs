// tus-js-client as it is, driven from the command line:
//
//     node upload.mjs PACKAGES OPTIONS FILE [BYTES…]
//
// PACKAGES is the folder in which the client is installed, OPTIONS its options as JSON.
// Every line that it writes is an event: `at BYTES` when so many of the BYTES named have
// gone out, after which it stands still until it reads a line; `done ADDRESS`; `failed
// WHY`.

import fs from "node:fs";
import { createRequire } from "node:module";

const [packages, options, path, ...stops] = process.argv.slice(2);
const tus = createRequire(`${packages}/`)("tus-js-client");

const say = (event) => fs.writeSync(1, `${event}\n`);
const standStill = () => fs.readSync(0, Buffer.alloc(1));

const upload = new tus.Upload(fs.createReadStream(path), {
  // For as long as a server takes to come back.
  retryDelays: Array.from({ length: 600 }, () => 100),
  ...JSON.parse(options),
  onProgress: (bytes) => {
    if (stops.length > 0 && bytes >= Number(stops[0])) {
      say(`at ${stops.shift()}`);
      standStill();
    }
  },
  onSuccess: () => say(`done ${upload.url}`),
  onError: (error) => {
    say(`failed ${String(error).replaceAll("\n", " ")}`);
    process.exitCode = 1;
  },
});
upload.start();
