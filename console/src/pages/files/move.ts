// Where each file goes when files and folders are moved.
import { asFolder, nameOf, pathProblem } from "./place";
import type { Row } from "./rows";

/**
 * One file goes to the typed path; one folder becomes the typed one; several go into the
 * typed folder under their names.
 */
export function moveTarget(rows: readonly Row[], typed: string): (path: string) => string {
  const [only] = rows;
  if (rows.length === 1 && only) {
    if (only.kind === "file") return () => typed;
    const to = asFolder(typed);
    return (path) => `${to}${path.slice(only.path.length)}`;
  }
  const to = asFolder(typed);
  const roots = rows.filter(({ kind }) => kind === "folder").map(({ path }) => path);
  return (path) => {
    const root = roots.find((within) => path.startsWith(within));
    const name = root === undefined ? nameOf(path) : `${nameOf(root)}/${path.slice(root.length)}`;
    return `${to}${name}`;
  };
}

/** What is wrong with the typed target, in words. */
export function targetProblem(
  rows: readonly Row[],
  typed: string,
  sameBucket: boolean,
): string | null {
  const [only] = rows;
  const single = rows.length === 1 ? only : undefined;
  const wrong = single ? pathProblem(typed) : asFolder(typed) === "" ? null : pathProblem(typed);
  if (wrong) return wrong;
  if (single?.kind === "file" && typed.endsWith("/"))
    return "A file needs a name after the last “/”";
  if (!sameBucket) return null;
  if (single?.path === typed) return "That is where it lies";
  const into = asFolder(typed);
  const swallowed = rows.find(({ kind, path }) => kind === "folder" && into.startsWith(path));
  if (!swallowed) return null;
  return `${nameOf(swallowed.path)} cannot be moved into itself`;
}
