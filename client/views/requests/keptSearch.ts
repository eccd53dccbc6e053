/** After a search, the next one for the same question waits this many times as long as it took. */
const restPerSearch = 10;

/** What a search found. @property isOld something has changed since, and it is too early to search again */
export interface KeptFind<Found> { found: Found; isOld: boolean }

/**
 * Keeps what was found last, so that the server searches again only when something has changed, and is not kept busy by
 * searches that take long. Holds the answer to one question at a time.
 */
export class KeptSearch<Found> {
  readonly #now: () => number;
  #kept: { question: string; state: string | undefined; found: Found; endedAt: number; tookMs: number } | undefined;

  /** @param now milliseconds of a clock that does not jump */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * @param question what is searched for
   * @param state what the answer depends on; undefined: not known, so that nothing kept is taken for current
   * @param isCancelled what a search that was cancelled has found is not kept
   */
  async find(question: string, state: string | undefined, search: () => Promise<Found>, isCancelled: () => boolean): Promise<KeptFind<Found>> {
    const kept = this.#kept?.question === question ? this.#kept : undefined;
    const startedAt = this.#now();
    if (kept !== undefined) {
      if (state !== undefined && kept.state === state) return { found: kept.found, isOld: false };
      if (startedAt < kept.endedAt + kept.tookMs * restPerSearch) return { found: kept.found, isOld: true };
    }
    this.#kept = undefined;
    const found = await search();
    const endedAt = this.#now();
    if (!isCancelled()) this.#kept = { question, state, found, endedAt, tookMs: endedAt - startedAt };
    return { found, isOld: false };
  }

  /** Searches the next time, whatever is kept. */
  forget(): void {
    this.#kept = undefined;
  }
}
