import type { UsedSecond } from '../../ledger/limitStore.ts';
import { rateWindowSeconds } from '../rateWindow.ts';

interface OwnSecond extends UsedSecond {
  /** The part of it that the store was not told. */
  untoldRequests: number;
  untoldTokens: number;
  /** The part of it that is being told. */
  tellingRequests: number;
  tellingTokens: number;
}

/** What this server used of one limit in the last minute, by the second of its own clock. */
export class OwnSeconds {
  #seconds: OwnSecond[] = [];

  get seconds(): readonly UsedSecond[] {
    return this.#seconds;
  }

  /** Adds to what a second holds; negative amounts take back. @param isTold the store knows it */
  add(second: number, requests: number, tokens: number, isTold: boolean): void {
    this.forget(second);
    let found = this.#seconds.find(one => one.second === second);
    if (found === undefined) {
      this.#seconds.push(found = { second, requests: 0, tokens: 0, untoldRequests: 0, untoldTokens: 0, tellingRequests: 0, tellingTokens: 0 });
      this.#seconds.sort((a, b) => a.second - b.second);
    }
    found.requests += requests;
    found.tokens += tokens;
    if (isTold) return;
    found.untoldRequests += requests;
    found.untoldTokens += tokens;
  }

  /** Drops what is older than a minute. */
  forget(currentSecond: number): void {
    if ((this.#seconds[0]?.second ?? Infinity) < currentSecond - rateWindowSeconds) this.#seconds = this.#seconds.filter(({ second }) => second >= currentSecond - rateWindowSeconds);
  }

  /** The store lost everything. */
  allUntold(): void {
    for (const one of this.#seconds) [one.untoldRequests, one.untoldTokens, one.tellingRequests, one.tellingTokens] = [one.requests, one.tokens, 0, 0];
  }

  /** What the store does not count yet. */
  get uncounted(): { readonly requests: number; readonly tokens: number } {
    let [requests, tokens] = [0, 0];
    for (const one of this.#seconds) {
      requests += one.untoldRequests + one.tellingRequests;
      tokens += one.untoldTokens + one.tellingTokens;
    }
    return { requests, tokens };
  }

  /** What the store was not told, which is told from here on. */
  takeUntold(): UsedSecond[] {
    const untold = this.#seconds.filter(({ untoldRequests, untoldTokens }) => untoldRequests !== 0 || untoldTokens !== 0)
      .map(({ second, untoldRequests, untoldTokens }) => ({ second, requests: untoldRequests, tokens: untoldTokens }));
    for (const one of this.#seconds) {
      one.tellingRequests += one.untoldRequests;
      one.tellingTokens += one.untoldTokens;
      one.untoldRequests = one.untoldTokens = 0;
    }
    return untold;
  }

  /** The store confirmed what it was told. */
  told(): void {
    for (const one of this.#seconds) one.tellingRequests = one.tellingTokens = 0;
  }
}
