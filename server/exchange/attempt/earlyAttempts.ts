import { targetName } from '../../api/targetName.ts';

/** The place of one early attempt. */
export interface EarlyPlace { readonly target: string }

interface Known { place: EarlyPlace | undefined; tokens: number; countedAt: number }

/** So many early attempts at a target may follow each other at once, and then one a second: callers may retry without end. */
const atOnce = 5;
const oneEachMs = 1000;
/** The most targets remembered. Callers choose model names freely, so there must be a bound. */
const mostTargets = 500;

/**
 * Early attempts: those at a target whose provider named a wait that is not over, or rejected the key, made because nothing
 * else can serve. One at a time for each target, so that many callers are no flood. A target that answers well is
 * forgotten: what its provider said no longer holds.
 */
export class EarlyAttempts {
  readonly #known = new Map<string, Known>();

  /** @returns undefined where another one is under way, or too many were made lately */
  enter(endpoint: string, model: string, now: number): EarlyPlace | undefined {
    const target = targetName(endpoint, model);
    let known = this.#known.get(target);
    if (known === undefined) {
      if (this.#known.size >= mostTargets) for (const [name, { place }] of this.#known) if (place === undefined) this.#known.delete(name);
      this.#known.set(target, known = { place: undefined, tokens: atOnce, countedAt: now });
    }
    const passedMs = now - known.countedAt;
    // After the clock was set back, how much time has passed is unknown.
    known.tokens = passedMs < 0 ? atOnce : Math.min(atOnce, known.tokens + passedMs / oneEachMs);
    known.countedAt = now;
    if (known.place !== undefined || known.tokens < 1) return undefined;
    known.tokens -= 1;
    return known.place = { target };
  }

  /** The attempt has ended, or was not made. */
  leave(place: EarlyPlace): void {
    const known = this.#known.get(place.target);
    if (known?.place === place) known.place = undefined;
  }

  /** The provider answers an early attempt at the target well: others need not wait for its end. */
  answered(endpoint: string, model: string): void {
    if (this.#known.size > 0) this.#known.delete(targetName(endpoint, model));
  }
}
