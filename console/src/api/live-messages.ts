// What is said over /api/v1/live. Parsing is lenient towards newer servers:
// a message of an unknown type is skipped, never an error.
import type { LogStream, Operation, StoredFile } from "./types";

export interface OperationsFilter {
  kind?: string;
  subject?: string;
  actor?: string;
  trigger?: string;
  parent?: string;
}

export type Topic =
  | { kind: "operations"; filter: OperationsFilter }
  | { kind: "operation"; operation: string; logFrom: number | null }
  | { kind: "files"; bucket: string; prefix: string };

/** Something that happened to a file. */
export interface FileEvent {
  type: string;
  path: string;
  /** Where it was, when it moved. */
  from?: string;
  /** The file as it was then; absent where it is gone. */
  file?: StoredFile;
}

export interface LiveLine {
  seq: number;
  /** Microseconds since 1970. */
  time: number;
  stream: LogStream;
  text: string;
  data?: unknown;
}

type WireLine = [seq: number, micros: number, stream: number, text: string, data?: unknown];

export type ServerMessage =
  /** `missing`: headers of the last request for a socket that did not reach the server. */
  | { type: "hello"; changed: number; missing?: string[] }
  | { type: "subscribed" | "unsubscribed"; id: number }
  | { type: "error"; id?: number; code: string; message: string }
  | { type: "operation"; changed: number; operation: Operation }
  | { type: "position"; id: number; changed: number }
  | { type: "file"; id: number; changed: number; event: FileEvent }
  | { type: "files_missed"; id: number }
  | { type: "log"; operation: string; lines: WireLine[] }
  | { type: "log_gap"; operation: string; from: number; to: number; reason: string }
  | { type: "log_end"; operation: string; last_seq: number }
  | { type: "closing"; reason: string }
  | { type: "pong" };

/** The code of an error that passes: the same is asked for again after a while. */
export const UNAVAILABLE = "unavailable";

const STREAMS: readonly LogStream[] = ["stdout", "stderr", "system"];

export function readMessage(text: string): ServerMessage | null {
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message !== "object" || message === null || !("type" in message)) return null;
    return message as ServerMessage;
  } catch {
    return null;
  }
}

export function readLine(line: WireLine): LiveLine {
  const [seq, time, stream, text, data] = line;
  const read: LiveLine = { seq, time, stream: STREAMS[stream] ?? "system", text };
  if (data !== undefined && data !== null) read.data = data;
  return read;
}

export function subscribeMessage(id: number, topic: Topic, since: number | null, logFrom: number) {
  if (topic.kind === "files") return { type: "subscribe", id, topic: { ...topic, since } };
  return topic.kind === "operations"
    ? { type: "subscribe", id, topic: { kind: "operations", filter: topic.filter, since } }
    : {
        type: "subscribe",
        id,
        topic: {
          kind: "operation",
          operation: topic.operation,
          since,
          log_from: topic.logFrom === null ? null : logFrom,
        },
      };
}

export function concerns(topic: Topic, operation: Operation): boolean {
  if (topic.kind === "files") return false;
  if (topic.kind === "operation") return topic.operation === operation.id;
  return Object.entries(topic.filter).every(
    ([field, wanted]) =>
      wanted === undefined || operation[field as keyof OperationsFilter] === wanted,
  );
}
