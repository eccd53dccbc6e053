import { silentLog } from '../../../../server/base/log.ts';
import { MemoryAllowanceStore } from '../../../../server/limits/allowances/memoryAllowanceStore.ts';
import { CountFigures } from '../../../../server/limits/replicas/countFigures.ts';
import type { TakeAnswer } from '../../../../server/limits/replicas/countOrders.ts';
import { ReplicaCounts } from '../../../../server/limits/replicas/replicaCounts.ts';
import type { LimitClaim } from '../../../../server/limits/limitClaims.ts';
import type { StateChange, StateReply, StateStore } from '../../../../server/state/stateStore.ts';

/** What follows from what was done so far is done. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(resolve => setImmediate(resolve));
}

const noon = Date.UTC(2026, 10, 28, 12);

/** A store that answers what asks for limits when the test says so, and everything else at once. Its clock is that of the server. */
export class CountStoreFake {
  now = noon;
  isUp = true;
  /** Those that ask and have no answer yet, the oldest first. */
  readonly asking: ((reply: StateReply) => void)[] = [];
  /** How many asked. */
  asked = 0;
  #heard: ((change: StateChange) => void) | undefined;

  /** A server that counts in it. @param replicas how many servers there are */
  async server(replicas = 2): Promise<ReplicaCounts> {
    const state = {
      isConfigured: true, replica: 'r', replicas, timeoutMs: 100, prefix: '{test}:',
      changes: (heard: (change: StateChange) => void) => { this.#heard = heard; return { dispose: () => undefined }; },
      run: ({ name }: { name: string }) => this.#run(name),
    };
    Object.defineProperty(state, 'isUp', { get: () => this.isUp });
    const modes = { limits: 'share', budgets: 'share' } as const;
    const counts = new ReplicaCounts({ state: state as unknown as StateStore, whenAway: () => modes, ledger: 'l', allowances: new MemoryAllowanceStore(), figures: new CountFigures(), clock: { now: () => this.now }, log: silentLog });
    await counts.ready();
    return counts;
  }

  /** It is away, or there again. */
  async change(change: 'up' | 'down'): Promise<void> {
    this.isUp = change === 'up';
    this.#heard?.(change);
    await turns();
  }

  /** Answers the oldest one. */
  async answer(reply: 'taken' | 'busy'): Promise<void> {
    const ask = this.asking.shift();
    if (ask === undefined) throw new Error('Nobody asks.');
    ask(reply === 'taken' ? [1, this.now, Math.floor(this.now / 1000), [], []] : [0, this.now, 0, 1_000, []]);
    await turns();
  }

  #run(name: string): Promise<StateReply> {
    if (name === 'take') {
      this.asked += 1;
      return new Promise(resolve => { this.asking.push(resolve); });
    }
    return Promise.resolve(name === 'follow' ? [this.now, 1, [], String(this.now), 0, []] : [this.now, [], []]);
  }
}

/** Asks, and tells what became of it once that is known. */
export function take(counts: ReplicaCounts, claim: LimitClaim): { answer: TakeAnswer | undefined } {
  const taking: { answer: TakeAnswer | undefined } = { answer: undefined };
  void counts.take({ claims: [claim], ofToken: [], allowances: [], microUsd: 0 }).then(answer => { taking.answer = answer; });
  return taking;
}
