// Drops files and folders of the disk onto a page, as a hand does from a file manager.
import type { Locator, Page } from "@playwright/test";

type Send = (type: "dragEnter" | "dragOver" | "drop") => Promise<unknown>;

export class Drag {
  readonly #send: Send;

  private constructor(send: Send) {
    this.#send = send;
  }

  /** Holds them over the middle of `target`. */
  static async over(page: Page, target: Locator, files: string[]): Promise<Drag> {
    // With the button comes what takes drops.
    await page.getByRole("button", { name: "Upload", exact: true }).waitFor();
    await target.waitFor();
    const box = await target.boundingBox();
    if (!box) throw new Error("What is to be dropped on is not on the page.");
    const session = await page.context().newCDPSession(page);
    const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    const data = { items: [], files, dragOperationsMask: 1 };
    const drag = new Drag((type) => session.send("Input.dispatchDragEvent", { type, ...at, data }));
    await drag.#send("dragEnter");
    await drag.#send("dragOver");
    return drag;
  }

  async drop(): Promise<void> {
    await this.#send("drop");
  }
}

export async function dropOn(page: Page, target: Locator, files: string[]): Promise<void> {
  await (await Drag.over(page, target, files)).drop();
}
