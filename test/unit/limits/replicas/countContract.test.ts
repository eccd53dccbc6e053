import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { systemClock } from '../../../../server/base/clock.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { createAllowanceStore } from '../../../../server/ledger/sqlite/allowances/allowanceDatabase.ts';
import { createLimitStore } from '../../../../server/ledger/sqlite/limitsDatabase.ts';
import { Allowances } from '../../../../server/limits/allowances/allowances.ts';
import type { LimitClaim } from '../../../../server/limits/limitClaims.ts';
import { SharedLimits } from '../../../../server/limits/sharedLimits.ts';
import { startRedis, withoutRedis } from '../../../support/redisServer.ts';
import { countContract, type ContractServer, type Entered } from './countContract.ts';
import { countingServer } from './replicaServers.ts';

const root = mkdtempSync(path.join(tmpdir(), 'waybill-counts-'));
const opened: { close(): void }[] = [];
after(() => {
  for (const one of opened) one.close();
  rmSync(root, { recursive: true, force: true });
});

/** A server of a data folder. */
function ofFolder(dataDir: string, instanceId: string): ContractServer {
  const store = createLimitStore({ dataDir, instanceId, clock: systemClock, log: silentLog });
  const limits = new SharedLimits(store);
  limits.configure(true);
  const allowanceStore = createAllowanceStore({ dataDir, clock: systemClock, log: silentLog });
  const money = new Allowances(allowanceStore);
  const running = new Map<string, number>();
  opened.push({ close: () => { limits.close(); store.close(); allowanceStore.close(); } });
  const enter = (claims: readonly LimitClaim[]): Entered => {
    const at = Date.now();
    const known = claims.map((one): LimitClaim => ({ ...one, running: one.running === undefined ? undefined : running.get(one.scope) ?? 0 }));
    const refusal = limits.take(known, at);
    if (refusal !== undefined) return { admitted: false, claim: refusal.claim, reason: refusal.refusal.reason, retryAt: refusal.refusal.retryAt };
    const [first] = known;
    if (first === undefined) throw new Error('Nothing is claimed.');
    const { scope } = first;
    running.set(scope, (running.get(scope) ?? 0) + 1);
    const leave = (requests: 0 | -1, tokens: number): void => {
      running.set(scope, (running.get(scope) ?? 1) - 1);
      limits.release({ scope, running: running.get(scope) ?? 0, claims: known, at, requests, tokens });
    };
    return { admitted: true, end: tokens => { leave(0, tokens === undefined ? 0 : tokens - first.tokens); }, unsent: () => { leave(-1, -first.tokens); } };
  };
  return {
    enter: claims => Promise.resolve(enter(claims)),
    spend(allowances, microUsd) {
      const reserved = money.reserve(allowances, microUsd);
      return Promise.resolve('misfit' in reserved ? undefined : cost => { money.settle(reserved, cost); });
    },
    allow: (allowances, microUsd) => { money.allow(allowances, microUsd); },
    taken(key) {
      const outcome = allowanceStore.transact(transaction => transaction.taken(key));
      if (!outcome.done) throw new Error('The store cannot be read.');
      const { used, reserved, unknown, extra } = outcome.value;
      return Promise.resolve({ used, reserved, unknown, extra });
    },
    tick() {
      limits.beat(Date.now());
      allowanceStore.beat();
      return Promise.resolve();
    },
    close() {
      limits.close();
      return Promise.resolve();
    },
  };
}

let folders = 0;
countContract('in a data folder', (count) => {
  const dataDir = path.join(root, String(folders += 1));
  return Promise.resolve(Array.from({ length: count }, (_, index) => ofFolder(dataDir, `server-${String(index)}`)));
});

countContract('over Redis', async (count) => {
  const redis = await startRedis();
  const servers: ContractServer[] = [];
  for (let index = 0; index < count; index += 1) {
    const { counts, state, money, take, spend } = await countingServer(redis, { timeoutMs: 10_000 });
    servers.push({
      async enter(claims) {
        const answer = await take({ claims });
        if (answer.taken) {
          const { hold } = answer;
          return { admitted: true, end: tokens => { counts.settle(hold, { isSent: true, tokens, microUsd: 0, isAll: true }); }, unsent: () => { counts.settle(hold, { isSent: false, tokens: 0, microUsd: 0, isAll: true }); } };
        }
        if (answer.kind !== 'limit') throw new Error(`It is refused by something else: ${answer.kind}`);
        return { admitted: false, claim: answer.claim, reason: answer.refusal.reason, retryAt: answer.refusal.retryAt };
      },
      spend,
      allow: (allowances, microUsd) => { money.allow(allowances, microUsd); },
      async taken(key) {
        await counts.ready();
        const { used, reserved, unknown, extra } = counts.allowances.taken(key);
        return { used, reserved, unknown, extra };
      },
      tick: () => counts.ready(),
      async close() {
        await counts.close();
        await state.close();
      },
    });
  }
  return servers;
}, { skip: withoutRedis });
