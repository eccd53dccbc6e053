import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { isStateAway, type StateReply, type StateStore } from '../../state/stateStore.ts';
import { followCall, type Call } from './countCalls.ts';
import type { LedgerPart, ReplicaAllowances } from './replicaAllowances.ts';

/** So many changed allowances are read in one call, and in so many calls at a time. */
const mostFollowed = 500;
const mostPages = 100;
/** The log says of so many keys that they hold something else than counts. */
const mostReported = 100;

export interface CountStoreOptions {
  state: StateStore;
  ledger: string;
  clock: Clock;
  log: Log;
}

/** The store as the counts of this server know it: its clock, what changed in it, and the allowances that its answers tell of. */
export class CountStore {
  /** The store's clock less this server's, in milliseconds. */
  offsetMs = 0;
  readonly #options: CountStoreOptions;
  readonly #allowances: ReplicaAllowances;
  readonly #reported = new Set<string>();
  /** In the store's time, in milliseconds. */
  #changedSince = 0;

  constructor(options: CountStoreOptions, allowances: ReplicaAllowances) {
    this.#options = options;
    this.#allowances = allowances;
  }

  /** @returns undefined where the store is away @throws for a mistake in the call */
  async call({ script, keys, args }: Call): Promise<readonly StateReply[] | undefined> {
    try {
      const reply = await this.#options.state.run(script, keys, args);
      return Array.isArray(reply) ? reply as readonly StateReply[] : [];
    } catch (error) {
      if (isStateAway(error)) return undefined;
      throw error;
    }
  }

  /** What other servers changed since. @returns whether the store has holds of this server; undefined: it is away */
  async follow(): Promise<boolean | undefined> {
    let hasHolds = true;
    for (let page = 0, isMore = true; isMore && page < mostPages; page += 1) {
      const reply = await this.call(followCall(this.#options, this.#changedSince, mostFollowed));
      if (reply === undefined) return undefined;
      const [storeNow, isHolder, changed, following, more, bad] = reply;
      this.tookTime(Number(storeNow));
      hasHolds = isHolder === 1;
      const list = Array.isArray(changed) ? changed as readonly StateReply[] : [];
      for (let at = 0; at < list.length; at += 3) this.#learnOne(String(list[at]), list[at + 2], list[at + 1] === 1);
      this.#changedSince = Number(following);
      isMore = more === 1;
      this.report(bad);
    }
    return hasHolds;
  }

  /** Everything is read again. */
  followAll(): void {
    this.#changedSince = 0;
  }

  /** @param storeNow what an answer says that it is now */
  tookTime(storeNow: number): void {
    this.offsetMs = storeNow - this.#options.clock.now();
  }

  /** Takes over states of allowances out of an answer. @param reservedHere what is reserved here and not in the store */
  learn(names: readonly string[], states: StateReply | undefined, reservedHere = 0): void {
    if (!Array.isArray(states)) return;
    names.forEach((name, index) => { this.#learnOne(name, (states as readonly StateReply[])[index], true, reservedHere); });
  }

  /** Says once for each key that something else stands where counts should. */
  report(keys: StateReply | undefined): void {
    if (!Array.isArray(keys)) return;
    for (const key of (keys as readonly StateReply[]).map(String)) {
      if (this.#reported.has(key) || this.#reported.size >= mostReported) continue;
      this.#reported.add(key);
      this.#options.log.error(`The shared store has something else than a count at "${key}": what is counted there is left out. Delete that key in Redis.`);
    }
  }

  #learnOne(key: string, state: StateReply | undefined, isOwn: boolean, reservedHere = 0): void {
    if (!Array.isArray(state)) return;
    const [used = 0, extra = 0, reserved = 0, unknown = 0, settled = 0, ownReserved = 0, ownUnknown = 0, changedAt = 0] = state.map(Number);
    const own: LedgerPart | undefined = isOwn ? { settled, reserved: ownReserved + reservedHere, unknown: ownUnknown, changedAt } : undefined;
    this.#allowances.learn(key, { used: used + reservedHere, extra, reserved: reserved + reservedHere, unknown, own, told: { used, extra } });
  }
}
