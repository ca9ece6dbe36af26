import { describe, expect, it, vi } from "vitest";
import { ProblemError } from "../api/problem";
import type { StoredFile } from "../api/types";
import { AT_ONCE, type Sender, type Transfer, TransferQueue } from "./queue";

interface Sending {
  transfer: Transfer;
  progress: (sent: number) => void;
  signal: AbortSignal;
  arrive: () => void;
  fail: (error: unknown) => void;
}

function scene(discard?: (transfer: Transfer) => void) {
  const sending: Sending[] = [];
  const send: Sender = (transfer, progress, signal) =>
    new Promise((resolve, reject) => {
      const arrive = () => resolve({ path: transfer.path } as StoredFile);
      sending.push({ transfer, progress, signal, arrive, fail: reject });
    });
  const queue = new TransferQueue(send, discard);
  const states = () => queue.all.map(({ state }) => state);
  return { queue, sending, states };
}

const files = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    bucket: "files",
    path: `${index}.bin`,
    file: new File(["12345"], `${index}.bin`),
  }));
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("a queue", () => {
  it("sends a few at once, in order, and then the next", async () => {
    const { queue, sending, states } = scene();
    queue.add(files(5));
    expect(sending).toHaveLength(AT_ONCE);
    sending[1]?.arrive();
    await settled();
    expect(states()).toEqual(["sending", "done", "sending", "sending", "waiting"]);
    expect(sending[3]?.transfer.path).toBe("3.bin");
  });

  it("tells of what arrives", async () => {
    const { queue, sending } = scene();
    const arrived = vi.fn();
    queue.onArrival(arrived);
    queue.add(files(1));
    sending[0]?.arrive();
    await settled();
    expect(arrived).toHaveBeenCalledWith(queue.all[0], { path: "0.bin" });
    expect(queue.busy).toBe(false);
  });

  it("keeps a failure with its reason, and tries again when asked", async () => {
    const { queue, sending, states } = scene();
    queue.add(files(1));
    sending[0]?.fail(new ProblemError({ status: 412, code: "precondition-failed" }));
    await settled();
    expect(states()).toEqual(["failed"]);
    expect(queue.all[0]?.error?.status).toBe(412);
    queue.retryAll(({ error }) => error?.status === 412, true);
    expect(sending[1]?.transfer).toMatchObject({ replace: true, error: null, state: "sending" });
  });

  it("stops what is cancelled, discards it, and goes on with the next", async () => {
    const discarded: string[] = [];
    const { queue, sending, states } = scene(({ path }) => discarded.push(path));
    queue.add(files(4));
    queue.cancel(queue.all[0]?.id ?? 0);
    expect(sending[0]?.signal.aborted).toBe(true);
    expect(discarded).toEqual(["0.bin"]);
    expect(states()).toEqual(["sending", "sending", "sending"]);
    sending[0]?.fail(new Error("aborted"));
    await settled();
    expect(states()).toEqual(["sending", "sending", "sending"]);
  });

  it("goes on where it was paused, and discards nothing", async () => {
    const discard = vi.fn();
    const { queue, sending, states } = scene(discard);
    queue.add(files(1));
    sending[0]?.progress(3);
    const id = queue.all[0]?.id ?? 0;
    queue.pause(id);
    expect(states()).toEqual(["paused"]);
    expect(queue.busy).toBe(false);
    queue.retry(id);
    expect(sending).toHaveLength(2);
    expect(queue.all[0]?.sent).toBe(3);
    expect(discard).not.toHaveBeenCalled();
  });

  it("counts bytes of what is sent and what has arrived", async () => {
    const { queue, sending } = scene();
    queue.add(files(2));
    sending[0]?.arrive();
    sending[1]?.progress(2);
    await settled();
    expect(queue.counts()).toMatchObject({ done: 1, sending: 1, bytes: 10, sent: 7 });
  });

  it("leaves those that still run when the ended are cleared", async () => {
    const { queue, sending, states } = scene();
    queue.add(files(2));
    sending[0]?.arrive();
    await settled();
    queue.clearEnded();
    expect(states()).toEqual(["sending"]);
    queue.abandon();
    expect(sending[1]?.signal.aborted).toBe(true);
    expect(queue.all).toEqual([]);
  });
});
