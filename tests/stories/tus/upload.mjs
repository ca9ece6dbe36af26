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
import { PassThrough } from "node:stream";

const [packages, options, path, ...stops] = process.argv.slice(2);
const tus = createRequire(`${packages}/`)("tus-js-client");

const say = (event) => fs.writeSync(1, `${event}\n`);
const standStill = () => fs.readSync(0, Buffer.alloc(1));

const given = JSON.parse(options);
const file = fs.createReadStream(path);
// Whose length is said later is a stream; of a file the client knows it.
const source = given.uploadLengthDeferred ? file.pipe(new PassThrough()) : file;
const upload = new tus.Upload(source, {
  // For as long as a server takes to come back.
  retryDelays: Array.from({ length: 600 }, () => 100),
  ...given,
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
