// What the tests of the live connection stand on: sockets and a clock that they hold
// in their hands.
import { Live, type LiveClock, type LiveLine, type LiveSocket } from "./live";
import type { Operation } from "./types";

export class FakeSocket implements LiveSocket {
  sent: Array<Record<string, unknown>> = [];
  closed = false;
  readyState = 1;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  says(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  breaks() {
    this.onclose?.();
  }
}

export class FakeClock implements LiveClock {
  time = 1_000_000;
  timers: Array<{ at: number; run: () => void }> = [];
  now = () => this.time;
  chance = () => 0.5;
  after(milliseconds: number, run: () => void) {
    const timer = { at: this.time + milliseconds, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }
  advance(milliseconds: number) {
    this.time += milliseconds;
    const due = this.timers.filter((timer) => timer.at <= this.time);
    this.timers = this.timers.filter((timer) => timer.at > this.time);
    for (const timer of due) timer.run();
  }
}

export const operation = (id: string, changed: number, more: Partial<Operation> = {}) => ({
  type: "operation",
  changed,
  operation: { id, changed, kind: "bundle", ...more } as Operation,
});
export const log = (id: string, from: number, to: number) => ({
  type: "log",
  operation: id,
  lines: Array.from({ length: to - from + 1 }, (_, i) => [from + i, 5, 0, `line ${from + i}`]),
});

/** A connection whose every socket is in `sockets`, by which of the `ways`. */
export class LiveBench {
  readonly sockets: FakeSocket[] = [];
  readonly ways: string[] = [];
  readonly clock = new FakeClock();
  refusals = 0;
  greetings = 0;
  readonly live = new Live(
    { socket: () => this.#opened("socket"), poll: () => this.#opened("poll") },
    {
      refused: () => {
        this.refusals += 1;
      },
      greeted: () => {
        this.greetings += 1;
      },
    },
    this.clock,
  );

  newest(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  /** Follows an operation's log; what came of it is in the lists. */
  reading(id: string) {
    const lines: LiveLine[] = [];
    const gaps: Array<[number, number, string]> = [];
    const ends: number[] = [];
    const leave = this.live.subscribe(
      { kind: "operation", operation: id, logFrom: 1 },
      {
        onLog: (batch) => lines.push(...batch),
        onGap: (from, to, reason) => gaps.push([from, to, reason]),
        onLogEnd: (last) => ends.push(last),
      },
    );
    return { lines, gaps, ends, leave };
  }

  #opened(way: "socket" | "poll"): FakeSocket {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    this.ways.push(way);
    return socket;
  }
}
