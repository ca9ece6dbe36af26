import { expect, it } from "vitest";
import type { Share } from "../../api/types";
import { livePaths } from "./shared-marks";

const NOW = Date.parse("2026-11-28T10:00:00Z");
const share = (path: string, more: Partial<Share> = {}) =>
  ({ path, downloads: 0, ...more }) as Share;

it("marks what has a link that opens it, however many others are over", () => {
  const paths = livePaths(
    [
      share("for-ever"),
      share("a/", { expires_at: "2026-11-28T10:00:01Z", max_downloads: 2, downloads: 1 }),
      share("over", { expires_at: "2026-11-28T10:00:00Z" }),
      share("used-up", { max_downloads: 2, downloads: 2 }),
      share("both", { max_downloads: 1, downloads: 1 }),
      share("both", { expires_at: null, max_downloads: null }),
    ],
    NOW,
  );
  expect([...paths]).toEqual(["for-ever", "a/", "both"]);
});
