// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { START_OPTIONS } from "./bundle-options";

type Drafts = typeof import("./bundle-draft");
let drafts: Drafts;

// As a reload does: what was only in the page's memory is gone.
const reload = async () => {
  vi.resetModules();
  drafts = await import("./bundle-draft");
};
const text = (user: string) => drafts.readDraft(user).text;
const type = (user: string, words: string) => {
  drafts.changeDraft(user, { text: words });
  drafts.keepDraft(user);
};
const asks = () => !window.dispatchEvent(new Event("beforeunload", { cancelable: true }));

beforeEach(async () => {
  sessionStorage.clear();
  await reload();
});
afterEach(() => {
  for (const user of ["anna", "bela"]) drafts.forgetDraft(user);
});

describe("the draft of a list", () => {
  it("is kept for the tab, and gone once it is emptied", async () => {
    type("anna", "http://a.test/1");
    await reload();
    expect(text("anna")).toBe("http://a.test/1");
    expect(text("bela")).toBe("");
    type("anna", "");
    expect(text("anna")).toBe("");
    expect(sessionStorage).toHaveLength(0);
  });

  it("is not kept half when it is too long, stays while the page does, and is asked about", async () => {
    type("anna", "http://a.test/1");
    expect(asks()).toBe(false);
    const long = "x".repeat(1_000_001);
    type("anna", long);
    expect(text("anna")).toBe(long);
    expect(asks()).toBe(true);
    type("anna", "short");
    expect(asks()).toBe(false);
    type("anna", long);
    drafts.forgetDraft("anna");
    expect(asks()).toBe(false);
    type("anna", long);
    drafts.keepDraft("bela");
    expect(asks()).toBe(true);
  });

  it("has a list that was dropped while the page stays, and is asked about", async () => {
    drafts.changeDraft("anna", { file: { name: "covers.txt", text: "http://a.test/1" } });
    drafts.keepDraft("anna");
    expect(drafts.readDraft("anna").file?.name).toBe("covers.txt");
    expect(asks()).toBe(true);
    drafts.changeDraft("anna", { file: null });
    drafts.keepDraft("anna");
    expect(asks()).toBe(false);
  });

  it("has the options, also where nothing is typed yet", async () => {
    const options = { ...START_OPTIONS, name: "covers", strict: true };
    drafts.changeDraft("anna", { options });
    drafts.keepDraft("anna");
    await reload();
    expect(drafts.readDraft("anna")).toEqual({ text: "", file: null, options });
    expect(asks()).toBe(false);
  });

  it("is asked about where the browser keeps nothing", () => {
    vi.stubGlobal("sessionStorage", undefined);
    type("anna", "http://a.test/1");
    vi.unstubAllGlobals();
    expect(text("anna")).toBe("http://a.test/1");
    expect(asks()).toBe(true);
  });

  it("takes what is not understood for nothing", () => {
    sessionStorage.setItem("longshore-bundle-draft-anna", "http://a.test/1");
    expect(text("anna")).toBe("");
    const kept = { text: "http://a.test/2", options: { name: 7, order: "source", further: 1 } };
    sessionStorage.setItem("longshore-bundle-draft-anna", JSON.stringify(kept));
    expect(drafts.readDraft("anna")).toEqual({
      text: "http://a.test/2",
      file: null,
      options: { ...START_OPTIONS, order: "source" },
    });
  });
});
