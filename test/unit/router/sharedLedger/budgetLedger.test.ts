import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../../../server/base/clock.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { emptyConfig, type BudgetConfig } from '../../../../server/config/config.ts';
import { BudgetBook } from '../../../../server/limits/budgets/budgetBook.ts';
import { BudgetLedger } from '../../../../server/router/sharedLedger/budgetLedger.ts';
import { startRedis, withoutRedis } from '../../../support/redisServer.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { anAttempt, aReceipt, exact } from '../../ledger/receipts.ts';
import { countingServer, until } from '../../limits/replicas/replicaServers.ts';

const monthly: BudgetConfig = { name: 'monthly', limitMicroUsd: 1_000_000, period: 'month', per: 'everything', isHard: true, warnAt: 0.8 };

/** A ledger with one request for each amount, of now. */
function ledgerWith(...amounts: number[]): InMemoryLedger {
  const ledger = new InMemoryLedger();
  const startedAt = Date.now();
  for (const amount of amounts) ledger.close(aReceipt(`e-${String(amount)}`, { startedAt, attempts: [anAttempt({ startedAt, cost: exact(amount) })] }));
  return ledger;
}

const partial = (ledger: InMemoryLedger, isPartial: boolean): InMemoryLedger & { isPartial: boolean } => Object.assign(ledger, { isPartial });

describe('the ledger that budgets are compared with', () => {
  it('counts what each replica spent once, where replicas share a ledger and count over Redis', { skip: withoutRedis }, async () => {
    const redis = await startRedis();
    const servers = await Promise.all([10, 20].map(async amount => {
      const { money, counts } = await countingServer(redis, { ledger: `ledger-${String(amount)}` });
      const ledger = new BudgetLedger({ own: ledgerWith(amount), shared: partial(ledgerWith(10, 20), false), countsParts: () => true });
      const config = { ...emptyConfig, budgets: [monthly] };
      const book = new BudgetBook({ allowances: money, ledger, config: () => config, tokenBudgets: () => [], clock: systemClock, log: silentLog, recorded: () => Promise.resolve(), changed: () => undefined, hasAudience: () => false, notify: () => undefined });
      await book.ready();
      const [budget] = book.of({ input: { caller: { tool: 'test' } }, route: undefined, conversation: () => 'digest' });
      assert.ok(budget !== undefined);
      return { counts, key: budget.key };
    }));
    for (const { counts, key } of servers) {
      await until('both parts are counted', async () => {
        await counts.ready();
        counts.tick();
        return counts.allowances.taken(key).used >= 30;
      });
    }
    assert.deepEqual(servers.map(({ counts, key }) => counts.allowances.taken(key).used), [30, 30]);
  });

  it('is that of all replicas where each counts alone, and says when it has a part of it only', async () => {
    let countsParts = false;
    const ledger = new BudgetLedger({ own: ledgerWith(10), shared: partial(ledgerWith(10, 20), true), countsParts: () => countsParts });
    const range = { from: Date.now() - 3_600_000, to: Date.now() + 3_600_000 };
    assert.deepEqual([(await ledger.spend(range)).totals.microUsd, ledger.isPartial], [30, true]);
    countsParts = true;
    assert.deepEqual([(await ledger.spend(range)).totals.microUsd, ledger.isPartial], [10, false]);
  });
});
