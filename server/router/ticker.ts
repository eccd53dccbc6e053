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

export const tickMs = 1000;

/**
 * Does a list of things about once a second, in the order given. One that throws keeps none of the others from running.
 * Whatever a process looks at while nothing happens is a part of its one ticker, so that an idle process wakes once a second.
 */
export class Ticker {
  readonly #parts: { guard: Guard; tick: (now: number) => void }[] = [];
  readonly #log: Pick<Log, 'error'>;
  readonly #timer: NodeJS.Timeout;

  constructor(parts: readonly TickedPart[], clock: Clock, log: Pick<Log, 'error'>) {
    this.#log = log;
    for (const part of parts) this.add(part);
    this.#timer = setInterval(() => {
      for (const { guard, tick } of this.#parts) guard.call(tick, clock.now());
    }, tickMs);
    this.#timer.unref();
  }

  /** Does one thing more, after those before it. */
  add(part: TickedPart): void {
    this.#parts.push({ guard: new Guard(part.name, this.#log), tick: (now: number) => { part.tick(now); } });
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
