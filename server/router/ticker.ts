import type { Clock } from '../base/clock.ts';
import { Guard } from '../base/guarded.ts';
import type { Log } from '../base/log.ts';

/** What is done about once a second. */
export interface TickedPart {
  /** The subject of the log's sentence when it throws: "The count of limits". */
  readonly name: string;
  /** @param now milliseconds since the epoch */
  tick(now: number): void;
}

const tickMs = 1000;

/** Does a list of things about once a second, in the order given. One that throws keeps none of the others from running. */
export class Ticker {
  readonly #timer: NodeJS.Timeout;

  constructor(parts: readonly TickedPart[], clock: Clock, log: Pick<Log, 'error'>) {
    const guarded = parts.map(part => ({ guard: new Guard(part.name, log), tick: (now: number) => { part.tick(now); } }));
    this.#timer = setInterval(() => {
      for (const { guard, tick } of guarded) guard.call(tick, clock.now());
    }, tickMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
