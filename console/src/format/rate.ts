// How fast something goes and how long it will still take, from the last few
// seconds, so that a stall shows at once and a start is not averaged away.

const WINDOW_MS = 5_000;
const STALLED_AFTER_MS = 3_000;
// Less than this is a guess and not a rate.
const SHORTEST_MS = 400;

export class RateMeter {
  #samples: Array<{ at: number; value: number }> = [];
  #lastMove = 0;

  /** Notes that `value` was reached at `at` milliseconds. A smaller value starts over. */
  add(value: number, at: number): void {
    const last = this.#samples.at(-1);
    if (last && value < last.value) this.#samples = [];
    if (!last || value !== last.value) this.#lastMove = at;
    const newest = this.#samples.at(-1);
    if (newest && at - newest.at < 50) newest.value = value;
    else this.#samples.push({ at, value });
    while ((this.#samples[1]?.at ?? at) < at - WINDOW_MS) this.#samples.shift();
  }

  /** Units per second, or null when it is too early to say. */
  rate(now: number): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || now - first.at < SHORTEST_MS) return null;
    if (now - this.#lastMove > WINDOW_MS) return 0;
    return ((last.value - first.value) * 1000) / (now - first.at);
  }

  /** Milliseconds until `total`, or null when nobody can know. */
  timeLeft(total: number | null, now: number): number | null {
    const last = this.#samples.at(-1);
    const rate = this.rate(now);
    if (total === null || !last || !rate) return null;
    return Math.max(0, ((total - last.value) / rate) * 1000);
  }

  /** Milliseconds without movement, once that is long enough to mention. */
  stalledFor(now: number): number | null {
    if (this.#samples.length === 0) return null;
    const still = now - this.#lastMove;
    return still > STALLED_AFTER_MS ? still : null;
  }
}
