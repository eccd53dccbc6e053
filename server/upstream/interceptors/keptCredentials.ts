interface Kept<Found> {
  current: Found | undefined;
  pending: Promise<Found> | undefined;
}

/** Credentials are renewed this long before they end, so that no request meets their end. */
const earlyMs = 5 * 60_000;
/** Credentials with less than this left are not used any more. */
const uselessMs = 30_000;
/** Keys come and go while a server runs. */
const mostKept = 100;

/**
 * Credentials that a login gives for a while. Each is kept until shortly before it ends, renewed in the background when it nears
 * its end, and found once for all calls that wait for it.
 */
export class KeptCredentials<Found extends { readonly expiresAt?: number | undefined }> {
  readonly #kept = new Map<string, Kept<Found>>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * @param id tells logins apart
   * @param find asks the login
   * @throws what `find` throws
   */
  async get(id: string, find: () => Promise<Found>): Promise<Found> {
    const kept = this.#entry(id);
    const { current } = kept;
    const left = current === undefined ? 0 : current.expiresAt === undefined ? Infinity : current.expiresAt - this.#now();
    if (current !== undefined && left > uselessMs) {
      // A renewal that fails here is tried again, and its failure is reported, when the credentials are needed.
      if (left < earlyMs) void renew(kept, find).catch(() => undefined);
      return current;
    }
    return renew(kept, find);
  }

  /** Drops credentials that were refused. Newer ones stay. */
  forget(id: string, refused: Found): void {
    const kept = this.#entry(id);
    if (kept.current === refused) kept.current = undefined;
  }

  #entry(id: string): Kept<Found> {
    let kept = this.#kept.get(id);
    if (kept === undefined) {
      if (this.#kept.size >= mostKept) this.#kept.clear();
      this.#kept.set(id, kept = { current: undefined, pending: undefined });
    }
    return kept;
  }
}

function renew<Found>(kept: Kept<Found>, find: () => Promise<Found>): Promise<Found> {
  kept.pending ??= find().then(found => kept.current = found).finally(() => { kept.pending = undefined; });
  return kept.pending;
}
