import { mkdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { NoticeParams } from '../../api/messages.ts';
import type { StatusSnapshot } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import { digestName } from '../../base/files/digestName.ts';
import { readOrdinaryFile } from '../../base/files/ordinaryFile.ts';
import { parseJson } from '../../base/json.ts';
import { madeFile } from './madeFile.ts';
import { isGone, ownTeller, tellerOf } from './teller.ts';

/** What goes on for less than this after it was last noticed is the same incident. */
const quietMs = 600_000;
const largestFile = 4096;

/** The incidents of an endpoint that this server has noticed. */
interface Noticed { readonly files: Set<string>; /** The endpoint was seen in trouble since. */ inTrouble: boolean }

/**
 * Decides which server of a data folder tells people of an incident, so that of two windows one shows it, once. Whoever makes the file
 * of the incident tells; whoever finds it only makes it younger. An incident is over when its endpoint is healthy again, when nobody has
 * touched its file for ten minutes, or when the server that told of it is gone: whoever was told may have been told in a window that is closed.
 */
export class NoticeClaims {
  readonly #folder: string | undefined;
  readonly #clock: Clock;
  /** By endpoint; empty nearly always. */
  readonly #noticed = new Map<string, Noticed>();

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
    const file = join(this.#folder, digestName([kind, endpoint, key].join('\n')));
    const noticed = this.#noticed.get(endpoint);
    if (noticed === undefined) this.#noticed.set(endpoint, { files: new Set([file]), inTrouble: false });
    else noticed.files.add(file);
    const now = this.#clock.now();
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      const claimedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
      if (claimedAt !== undefined && Math.abs(now - claimedAt) < quietMs && !isOfGone(file)) {
        utimesSync(file, now / 1000, now / 1000);
        return false;
      }
      if (claimedAt !== undefined) rmSync(file, { force: true });
      // Another server may make the file at this moment.
      if (!madeFile(file, JSON.stringify(ownTeller()))) return false;
      utimesSync(file, now / 1000, now / 1000);
      return true;
    } catch {
      return true;
    }
  }

  /** Takes the present state: the incidents of endpoints that are healthy again are over, and those of the machine's link and of all endpoints when something can serve. */
  recover({ endpoints, link, nothingCanServe }: Pick<StatusSnapshot, 'endpoints' | 'link' | 'nothingCanServe'>): void {
    if (this.#noticed.size === 0) return;
    for (const { name, state } of endpoints) this.#sawEndpoint(name, state === 'healthy');
    this.#sawEndpoint('', link === undefined && !nothingCanServe);
  }

  #sawEndpoint(endpoint: string, isWell: boolean): void {
    const noticed = this.#noticed.get(endpoint);
    if (noticed === undefined) return;
    if (!isWell) noticed.inTrouble = true;
    // One key of several may be in trouble while the endpoint is healthy all the time: that is no recovery.
    if (!isWell || !noticed.inTrouble) return;
    this.#noticed.delete(endpoint);
    for (const file of noticed.files) {
      try {
        rmSync(file, { force: true });
      } catch {
        // Ten quiet minutes end it as well.
      }
    }
  }
}

/** The server that made the file is gone. A file that does not say who made it is of one that lives. */
function isOfGone(file: string): boolean {
  try {
    const teller = tellerOf(parseJson(readOrdinaryFile(file, largestFile)));
    return teller !== undefined && isGone(teller);
  } catch {
    return false;
  }
}
