// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";
import { keepDraft, readDraft } from "./use-draft";

beforeEach(() => sessionStorage.clear());

describe("the draft of a list", () => {
  it("is kept for the tab, and gone once it is emptied", () => {
    keepDraft("anna", "http://a.test/1");
    expect(readDraft("anna")).toBe("http://a.test/1");
    expect(readDraft("bela")).toBe("");
    keepDraft("anna", "");
    expect(readDraft("anna")).toBe("");
  });

  it("is not kept half when it is too long", () => {
    keepDraft("anna", "http://a.test/1");
    keepDraft("anna", "x".repeat(1_000_001));
    expect(readDraft("anna")).toBe("");
  });
});
