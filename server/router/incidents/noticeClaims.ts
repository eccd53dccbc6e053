import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { NoticeParams } from '../../api/messages.ts';

/** What goes on for less than this after it was last noticed is the same incident. */
const quietMs = 600_000;

/**
 * Decides which server of a data folder tells people of an incident, so that of two windows one shows it, once. Whoever makes the file
 * of the incident tells; whoever finds it only makes it younger. A file that nobody has touched for ten minutes is of an incident that is over.
 */
export class NoticeClaims {
  readonly #folder: string | undefined;
  readonly #clock: Clock;

  /** @param folder undefined: this server is alone */
  constructor(folder: string | undefined, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  /**
   * Whether this server tells. Where the folder cannot be used it does: told twice is better than not at all.
   * @param key what the key is known by, where it is about one: another key is another incident
   */
  claim({ kind, endpoint }: Pick<NoticeParams, 'kind' | 'endpoint'>, key = ''): boolean {
    if (this.#folder === undefined) return true;
    const file = join(this.#folder, createHash('sha256').update([kind, endpoint, key].join('\n')).digest('hex').slice(0, 32));
    const now = this.#clock.now();
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      const claimedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
      if (claimedAt !== undefined) {
        utimesSync(file, now / 1000, now / 1000);
        return Math.abs(now - claimedAt) >= quietMs;
      }
      closeSync(openSync(file, 'wx', 0o600));
      utimesSync(file, now / 1000, now / 1000);
      return true;
    } catch (error) {
      // Another server made the file at this moment.
      return !(error instanceof Error && 'code' in error && error.code === 'EEXIST');
    }
  }
}
