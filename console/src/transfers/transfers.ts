// The console's one queue of uploads, and how it sends: small files by one request,
// large ones so that they can go on after a break.
import { useEffect, useSyncExternalStore } from "react";
import { put } from "./put";
import { type Sender, TransferQueue } from "./queue";
import { discardResumable, sendResumable, tusIsSpoken } from "./resumable";

/** From so many bytes on, beginning again would hurt. */
export const LARGE = 5 * 1024 * 1024;

const send: Sender = async (transfer, progress, signal) => {
  if (transfer.file.size >= LARGE && (await tusIsSpoken())) {
    transfer.resumable = true;
    return sendResumable(transfer, progress, signal);
  }
  return put(transfer, progress, signal);
};

export const transfers = new TransferQueue(send, (transfer) => {
  if (transfer.resumable) void discardResumable(transfer);
});

/** Renders anew with each change of the queue. */
export function useTransfers(): TransferQueue {
  useSyncExternalStore(transfers.subscribe, transfers.version);
  return transfers;
}

/** What the line lost is tried again once there is one. */
export function useRetryOnline(): void {
  useEffect(() => {
    const retry = () =>
      transfers.retryAll(({ state, error }) => state === "failed" && error?.code === "unreachable");
    window.addEventListener("online", retry);
    return () => window.removeEventListener("online", retry);
  }, []);
}

/** The browser asks before it leaves a page that still sends. */
export function useLeaveWarning(busy: boolean): void {
  useEffect(() => {
    if (!busy) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [busy]);
}
