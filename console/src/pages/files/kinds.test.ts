import { expect, it } from "vitest";
import { kindOf } from "./kinds";

it.each([
  ["image/png", "", "image"],
  ["image/tiff", "image/tiff", "other"],
  ["image/svg+xml", "", "image"],
  ["text/plain; charset=utf-8", "", "text"],
  ["application/vnd.api+json", "", "text"],
  ["application/octet-stream", "video/mp4", "video"],
  ["application/pdf", "", "pdf"],
  ["application/zip", "", "archive"],
  ["", "", "other"],
] as const)("%j that looks like %j is shown as %s", (type, sniffed, kind) => {
  expect(kindOf(type, sniffed)).toBe(kind);
});
