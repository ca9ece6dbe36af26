import { expect, it } from "vitest";
import type { Bucket } from "../../api/types";
import { uploadCommand } from "./upload-command";

const here = { protocol: "https:", port: "8443", origin: "https://ls.test:8443" };
const bucket = (hosts: string[]) => ({ name: "media", hosts }) as Bucket;

it("goes to the bucket's own domain where there is one", () => {
  expect(uploadCommand(bucket(["files.test"]), "a b/", here)).toBe(
    "curl -u NAME -T FILE https://files.test:8443/a%20b/",
  );
});

it("goes to the API where there is none, and is quoted where a shell would read it", () => {
  expect(uploadCommand(bucket([]), "it's/", here)).toBe(
    "curl -u NAME -T FILE 'https://ls.test:8443/api/v1/buckets/media/files/it'\\''s/'",
  );
});
