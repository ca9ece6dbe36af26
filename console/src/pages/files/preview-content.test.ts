import { expect, it } from "vitest";
import { asText } from "./preview-content";

it.each([
  [[0x61, 0xc3, 0xa4], "aä"],
  [[0x61, 0xc3], "a"],
  [[0xff, 0xfe, 0x61, 0x00], "a"],
  [[0xfe, 0xff, 0x00, 0x61], "a"],
  [[], ""],
])("%j reads as %j", (read, text) => {
  expect(asText(new Uint8Array(read))).toBe(text);
});
