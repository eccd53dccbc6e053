import { englishOf, said, type Said } from '../../api/localization/said.ts';
import type { Uncounted } from '../../api/reports/savings.ts';

const mostReasons = 20;
const others = said('other reasons');

/** Counts why requests have no figure, in bounds. */
export class Reasons {
  readonly #counts = new Map<string, { said: Said; requests: number }>();

  add(reason: Said): void {
    const key = englishOf(reason);
    const counted = this.#counts.has(key) || this.#counts.size < mostReasons ? reason : others;
    const name = englishOf(counted);
    const known = this.#counts.get(name);
    if (known === undefined) this.#counts.set(name, { said: counted, requests: 1 });
    else known.requests += 1;
  }

  /** The most frequent first. */
  list(): Uncounted[] {
    return [...this.#counts].map(([reason, counted]): Uncounted => ({ reason, ...counted })).sort((one, other) => other.requests - one.requests || one.reason.localeCompare(other.reason));
  }
}
