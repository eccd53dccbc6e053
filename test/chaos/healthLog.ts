import type { HealthySpan } from './judge.ts';

/** Records when providers were well, in milliseconds since the epoch. */
export class HealthLog {
  #spans: HealthySpan[] = [];
  /** For each provider that is well: since when. */
  readonly #since = new Map<string, number>();
  readonly #awayUntil = new Map<string, number>();

  /** It is well from `at`, or from the end of a wait it asked for. */
  well(provider: string, at: number): void {
    if (!this.#since.has(provider)) this.#since.set(provider, Math.max(at, this.#awayUntil.get(provider) ?? 0));
  }

  ill(provider: string, at: number): void {
    const from = this.#since.get(provider);
    this.#since.delete(provider);
    if (from !== undefined && at > from) this.#spans.push({ provider, from, to: at });
  }

  /** The provider asked callers to wait until then. */
  away(provider: string, until: number): void {
    this.#awayUntil.set(provider, Math.max(until, this.#awayUntil.get(provider) ?? 0));
  }

  /** No provider was well in between: their process did not run. */
  missing(from: number, to: number): void {
    for (const provider of [...this.#since.keys()]) {
      this.ill(provider, from);
      this.well(provider, to);
    }
  }

  /** All spans so far; those that still last end now and go on. */
  take(now: number): HealthySpan[] {
    for (const provider of [...this.#since.keys()]) {
      this.ill(provider, now);
      this.well(provider, now);
    }
    const spans = this.#spans;
    this.#spans = [];
    return spans;
  }
}
