import { describe, expect, it } from "vitest";
import { whyPolling } from "./live-words";

describe("why the server is polled", () => {
  it("is the headers that did not reach it, and a proxy is blamed for no more", () => {
    expect(whyPolling(["Upgrade"])).toBe("A proxy drops the header Upgrade");
    expect(whyPolling(["Upgrade", "Connection"])).toBe(
      "A proxy drops the headers Upgrade and Connection",
    );
    expect(whyPolling(["A", "B", "C"])).toBe("A proxy drops the headers A, B and C");
    expect(whyPolling([])).toBe("No WebSocket could be opened");
  });
});
