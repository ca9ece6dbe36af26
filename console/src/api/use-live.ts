// Where React meets the live socket: one connection and one feed for the page.
import { useEffect, useRef, useSyncExternalStore } from "react";
import { api, take } from "./client";
import { OperationFeed } from "./feed";
import { type FileEvent, Live, type LiveHandlers, type LiveSocket } from "./live";
import { type PollBody, PollSocket } from "./poll-socket";
import { queryClient } from "./query-client";
import { sessionQuery } from "./session";
import type { Operation } from "./types";

function openSocket(): LiveSocket {
  const address = new URL("/api/v1/live", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(address) as unknown as LiveSocket;
}

function openPolling(): LiveSocket {
  return new PollSocket((body: PollBody, signal) =>
    take(api.POST("/api/v1/live/poll", { body: body as never, signal })),
  );
}

// A refused attempt may mean that the session has ended, and a new connection that it
// is another's, or has another role: asking tells.
function askForSession(): void {
  void queryClient.refetchQueries({ queryKey: sessionQuery.queryKey });
}

export const live = new Live(
  { socket: openSocket, poll: openPolling },
  { greeted: askForSession, refused: askForSession },
);
export const feed = new OperationFeed();

/** Runs the connection for as long as somebody is logged in. */
export function useLiveConnection(): void {
  useEffect(() => {
    const leave = feed.attach(live);
    live.start();
    const probe = () => {
      if (document.visibilityState === "visible") live.probe();
    };
    window.addEventListener("online", probe);
    document.addEventListener("visibilitychange", probe);
    return () => {
      window.removeEventListener("online", probe);
      document.removeEventListener("visibilitychange", probe);
      leave();
      live.stop();
    };
  }, []);
}

export function useLiveStatus() {
  return useSyncExternalStore(live.onStatus, live.status);
}

export interface ActiveNow {
  /** Queued and running operations, the newest first. */
  operations: readonly Operation[];
  /** There may be others than these: what runs was not wholly told, or is not told now. */
  asking: boolean;
  /** There are so many that not all were told. */
  more: boolean;
}

export function useActiveOperations(): ActiveNow {
  const { active, whole, more } = useSyncExternalStore(feed.onView, feed.view);
  const { phase } = useLiveStatus();
  return { operations: active, asking: !whole || phase !== "open", more };
}

/** Calls `changed` for every change of any operation; `reset` when some may be missing. */
export function useOperationChanges(changed: (operation: Operation) => void, reset: () => void) {
  const handlers = useRef({ changed, reset });
  handlers.current = { changed, reset };
  useEffect(() => {
    const leave = [
      feed.onChange((operation) => handlers.current.changed(operation)),
      feed.onReset(() => handlers.current.reset()),
    ];
    return () => {
      for (const stop of leave) stop();
    };
  }, []);
}

/** Watches one operation (null: not yet), with its log from line `logFrom` on (null: without). */
export function useLiveOperation(
  id: string | null,
  logFrom: number | null,
  handlers: LiveHandlers,
) {
  const current = useRef(handlers);
  current.current = handlers;
  useEffect(() => {
    if (id === null) return;
    return live.subscribe(
      { kind: "operation", operation: id, logFrom },
      {
        onOperation: (operation) => current.current.onOperation?.(operation),
        onLog: (lines) => current.current.onLog?.(lines),
        onGap: (from, to, reason) => current.current.onGap?.(from, to, reason),
        onLogEnd: (lastSeq) => current.current.onLogEnd?.(lastSeq),
        onReset: () => current.current.onReset?.(),
        onError: (code, message) => current.current.onError?.(code, message),
      },
    );
  }, [id, logFrom]);
}

/** Calls `changed` for what happens to the files below a prefix; `reset` when something was missed. */
export function useFileEvents(
  bucket: string,
  prefix: string,
  changed: (event: FileEvent) => void,
  reset: () => void,
): void {
  const handlers = useRef({ changed, reset });
  handlers.current = { changed, reset };
  useEffect(
    () =>
      live.subscribe(
        { kind: "files", bucket, prefix },
        {
          onFile: (event) => handlers.current.changed(event),
          onReset: () => handlers.current.reset(),
        },
      ),
    [bucket, prefix],
  );
}
