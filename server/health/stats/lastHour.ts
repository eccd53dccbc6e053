import type { LatestHour, HourSpan } from '../../api/status.ts';

/** The last hour is told in so many spans. */
const spanCount = 12;
const spanMs = 300_000;

export interface LastHourState { readonly slots: Float64Array; readonly requests: Uint32Array; readonly failures: Uint32Array }

/** Requests and failures of an endpoint in the last hour, by spans of five minutes. Constant memory, made with the first entry. */
export class LastHour {
  #state: LastHourState | undefined;

  /** @param at milliseconds since the epoch */
  add(at: number, ok: boolean): void {
    const state = this.#state ??= { slots: new Float64Array(spanCount).fill(-1), requests: new Uint32Array(spanCount), failures: new Uint32Array(spanCount) };
    const slot = Math.floor(at / spanMs);
    const index = slot % spanCount;
    const held = state.slots[index] ?? -1;
    // An entry of a peer may come late, when its place is taken by a later span.
    if (slot < held) return;
    if (slot > held) {
      state.slots[index] = slot;
      state.requests[index] = 0;
      state.failures[index] = 0;
    }
    state.requests[index] = (state.requests[index] ?? 0) + 1;
    if (!ok) state.failures[index] = (state.failures[index] ?? 0) + 1;
  }

  /** The hour up to the latest request, which stands still until the next one; undefined where that is more than an hour ago. */
  latest(now: number): LatestHour | undefined {
    const state = this.#state;
    if (state === undefined || now >= this.#endsAt(state)) return undefined;
    const last = Math.max(...state.slots);
    const spans = Array.from({ length: spanCount }, (_, step): HourSpan => {
      const slot = last - spanCount + 1 + step;
      const index = slot % spanCount;
      return state.slots[index] === slot ? { requests: state.requests[index] ?? 0, failures: state.failures[index] ?? 0 } : { requests: 0, failures: 0 };
    });
    return { until: (last + 1) * spanMs, spans };
  }

  /** When that changes by time alone; Infinity: never. */
  changesAt(now: number): number {
    const end = this.#state === undefined ? Infinity : this.#endsAt(this.#state);
    return now < end ? end : Infinity;
  }

  #endsAt({ slots }: LastHourState): number {
    return (Math.max(...slots) + spanCount) * spanMs;
  }

  snapshot(): LastHourState | undefined {
    return copied(this.#state);
  }

  restore(state: LastHourState | undefined): void {
    this.#state = copied(state);
  }
}

function copied(state: LastHourState | undefined): LastHourState | undefined {
  return state === undefined ? undefined : { slots: state.slots.slice(), requests: state.requests.slice(), failures: state.failures.slice() };
}
