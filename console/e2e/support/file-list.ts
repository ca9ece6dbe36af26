// The list of a folder, as tests find it.
import type { Page } from "@playwright/test";

export const grid = (page: Page) => page.getByRole("grid", { name: "Files" });

export const row = (page: Page, name: string) =>
  grid(page)
    .getByRole("row")
    .filter({ has: page.getByRole("link", { name: new RegExp(`^${name}`) }) });
