// Which of the files and folders that are shown have a link that still opens them.
import type { Share } from "../../api/types";

/** The paths of those whose time and downloads are not over. */
export function livePaths(shares: readonly Share[], now: number): ReadonlySet<string> {
  const live = shares.filter(
    ({ expires_at, max_downloads, downloads }) =>
      (expires_at == null || Date.parse(expires_at) > now) &&
      (max_downloads == null || downloads < max_downloads),
  );
  return new Set(live.map(({ path }) => path));
}
