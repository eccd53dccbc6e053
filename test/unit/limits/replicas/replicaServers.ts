import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AwayMode } from '../../../../server/api/state/stateSettings.ts';
import { systemClock } from '../../../../server/base/clock.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { Allowances } from '../../../../server/limits/allowances/allowances.ts';
import { MemoryAllowanceStore } from '../../../../server/limits/allowances/memoryAllowanceStore.ts';
import type { LimitClaim } from '../../../../server/limits/limitClaims.ts';
import { CountFigures } from '../../../../server/limits/replicas/countFigures.ts';
import type { TakeAnswer, TakeOrder } from '../../../../server/limits/replicas/countOrders.ts';
import { ReplicaCounts } from '../../../../server/limits/replicas/replicaCounts.ts';
import type { Allowance } from '../../../../server/routing/caps/allowance.ts';
import { StateConnection } from '../../../../server/state/stateConnection.ts';
import type { RedisServer } from '../../../support/redisServer.ts';

/** One server that counts in a Redis with others. */
export interface CountingServer {
  readonly state: StateConnection;
  readonly counts: ReplicaCounts;
  readonly figures: CountFigures;
  /** What the log has of errors. */
  readonly errors: string[];
  /** What it knows of money, as its requests are planned with it. */
  readonly money: Allowances;
  take(order: Partial<TakeOrder>): Promise<TakeAnswer>;
  /** Takes as an attempt does: reserved here, and given back here where the store refuses. @returns what ends it, or undefined where it was refused */
  spend(allowances: readonly Allowance[], microUsd: number): Promise<((costMicroUsd: number | undefined) => void) | undefined>;
}

const open: CountingServer[] = [];
after(async () => {
  for (const { counts, state } of open) {
    await counts.close();
    await state.close();
  }
});

/** @param ledger servers with the same name have one ledger */
export async function countingServer(redis: RedisServer, { ledger = 'ledger', modes = { limits: 'share', budgets: 'share' }, timeoutMs = 1_000, mostEnds = 10_000 }: { ledger?: string; modes?: { limits: AwayMode; budgets: AwayMode }; timeoutMs?: number; mostEnds?: number } = {}): Promise<CountingServer> {
  const state = new StateConnection({ log: silentLog, random: () => 0, changed: () => undefined });
  state.configure({ redis: { host: '127.0.0.1', port: redis.port, database: 0, username: undefined, password: undefined, prefix: 'test', cluster: false, tls: undefined, connectTimeoutMs: 1_000, commandTimeoutMs: timeoutMs }, whenAway: modes, secrets: [] });
  await state.ready();
  const figures = new CountFigures();
  const errors: string[] = [];
  const counts = new ReplicaCounts({ state, whenAway: () => modes, ledger, allowances: new MemoryAllowanceStore(), figures, clock: systemClock, log: { ...silentLog, error: message => { errors.push(message); } }, mostEnds });
  await counts.ready();
  const money = new Allowances(counts.allowances);
  const server: CountingServer = {
    state, counts, figures, money, errors,
    take: order => counts.take({ claims: [], ofToken: [], allowances: [], microUsd: 0, ...order }),
    async spend(allowances, microUsd) {
      const reserved = money.reserve(allowances, microUsd);
      if ('misfit' in reserved) return undefined;
      const answer = await counts.take({ claims: [], ofToken: [], allowances, microUsd });
      if (!answer.taken) {
        money.settle(reserved, 0);
        return undefined;
      }
      return cost => {
        money.settle(reserved, cost);
        counts.settle(answer.hold, { isSent: true, tokens: undefined, microUsd: cost, isAll: true });
      };
    },
  };
  open.push(server);
  return server;
}

export function claim(scope: string, limits: LimitClaim['limits'], tokens = 10, running: number | undefined = limits.concurrency === undefined ? undefined : 0): LimitClaim {
  return { scope, limits, whose: 'its own limit', tokens, promptTokens: tokens, running };
}

export function budget(name: string, limitUsd: number, isHard = true): Allowance {
  return { key: `budget/${name}/everything/day/2026-11-28/`, limitMicroUsd: limitUsd * 1e6, budget: { name, period: 'day', per: 'everything', of: undefined, isHard, cheaperAt: undefined, resetsAt: 0, startMicroUsd: 0 } };
}

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!await holds()) {
    if (performance.now() > deadline) throw new Error(`This did not happen: ${what}`);
    await sleep(10);
  }
}
