import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { GroupedSpend, GroupedSpendParams } from '../../../../server/api/reports/groupedSpend.ts';
import { spendGroupings } from '../../../../server/api/reports/groupedSpend.ts';
import type { SpendFilter } from '../../../../server/api/reports/dashboard.ts';
import { groupedSpend } from '../../../../server/router/spend/groupedSpend.ts';
import { missingEngine, startPostgres } from '../../../support/engines/engines.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { randomReceipts } from '../dashboard/randomReceipts.ts';
import { InMemoryLedger } from '../inMemoryLedger.ts';
import { aReceipt, anAttempt, exact, noon, running } from '../receipts.ts';
import { aReplica } from './sharedLedgers.ts';

const dayMs = 86_400_000;
const span = { from: noon - 5 * dayMs, to: noon };
/** Neither end is at a quarter of an hour. */
const ranges = [{ from: span.from - dayMs, to: noon + dayMs }, { from: span.from + 12_345_678, to: noon - 23_456_789 }];
const filters: SpendFilter[] = [{}, { endpoint: 'openai' }, { tool: '=odd,"name"', workspace: 'shop' }, { part: 'failover' }, { conversation: 'c-3' }, { kind: 'balanced', notRecorded: ['branch'] }, { notRecorded: ['provider', 'workspace'] }, { user: 'nobody' }];

/** Rows of equal sums have no order of their own. */
function figuresOf({ totals, rows }: GroupedSpend): unknown {
  return { totals, rows: [...rows].sort((one, other) => (String(one.name) < String(other.name) ? -1 : 1)) };
}

describe('spend of all replicas by a field', { skip: missingEngine('postgres') }, () => {
  let engine: Awaited<ReturnType<typeof startPostgres>>;
  before(async () => { engine = await startPostgres(); });

  it('is what one ledger with the requests of all has, by every field, with every filter, and whatever is not copied yet', async () => {
    const receipts = randomReceipts(200, seededRandom(7), span);
    const [one, other] = [aReplica(engine.url, 'by-1', { schema: 'by_field' }), aReplica(engine.url, 'by-2', { schema: 'by_field' })];
    const whole = new InMemoryLedger();
    for (const [index, receipt] of receipts.entries()) {
      (index % 3 === 0 ? one : other).local.close(receipt);
      whole.close(receipt);
    }
    await other.shared.spend(ranges[0] ?? assert.fail());
    const runs = running(aReceipt('runs', { startedAt: noon - 1_000, attempts: [anAttempt({ startedAt: noon - 1_000, cost: exact(77) })] }));
    one.local.open(runs);
    whole.open(runs);
    for (const range of ranges) {
      for (const by of spendGroupings) {
        for (const filter of range === ranges[0] ? filters : filters.slice(0, 2)) {
          const params: GroupedSpendParams = { range, by, filter };
          const found = await one.shared.grouped(params);
          assert.deepEqual(figuresOf(found), figuresOf(await groupedSpend(whole, params)), JSON.stringify(params));
          assert.deepEqual(found.scope, { replicas: 'all', count: 2 });
        }
      }
    }
    await Promise.all([one.close(), other.close()]);
  });

  it('has the dearest first, and the days in their order, those without requests among them', async () => {
    const replica = aReplica(engine.url, 'order', { schema: 'in_order' });
    for (const [model, microUsd, startedAt] of [['small', 5, noon - 2 * dayMs], ['large', 50, noon], ['middle', 20, noon]] as const) {
      replica.local.close(aReceipt(model, { startedAt, attempts: [anAttempt({ model, startedAt, cost: exact(microUsd) })] }));
    }
    const range = { from: noon - 2 * dayMs, to: noon + 1 };
    assert.deepEqual((await replica.shared.grouped({ range, by: 'model', filter: {} })).rows.map(({ name }) => name), ['large', 'middle', 'small']);
    assert.deepEqual((await replica.shared.grouped({ range, by: 'day', filter: {} })).rows.map(({ microUsd }) => microUsd), [5, 0, 70]);
    await replica.close();
  });

  it('says that records are deleted where some of the range are', async () => {
    const schema = 'by_field_kept';
    const replica = aReplica(engine.url, 'deleted-1', { schema, keptMs: undefined });
    const old = noon - 30 * dayMs;
    replica.local.close(aReceipt('old', { startedAt: old, attempts: [anAttempt({ startedAt: old, cost: exact(5) })] }));
    replica.local.close(aReceipt('new', { attempts: [anAttempt({ cost: exact(3) })] }));
    const params: GroupedSpendParams = { range: { from: noon - 40 * dayMs, to: noon + dayMs }, by: 'model', filter: {} };
    const kept = await replica.shared.grouped(params);
    assert.deepEqual([kept.totals.microUsd, kept.scope?.message], [8, undefined]);
    await replica.until(() => engine.query(`SELECT count(*) FROM ${schema}.changed_slots`)[0]?.[0] === '0' && replica.shared.figures().exchanges === 2);
    await replica.close();
    const forgetting = aReplica(engine.url, 'deleted-2', { schema, keptMs: 10 * dayMs });
    await forgetting.until(() => engine.query(`SELECT count(*) FROM ${schema}.attempts`)[0]?.[0] === '1' && engine.query(`SELECT count(*) FROM ${schema}.exchanges`)[0]?.[0] === '1');
    const { totals, scope } = await forgetting.shared.grouped(params);
    assert.match(scope?.message ?? '', /^Records from before \d{4}-\d\d-\d\d are deleted from the shared ledger, and not in these sums; sums without a field have them\.$/);
    assert.equal(totals.microUsd, 3);
    assert.equal((await forgetting.shared.grouped({ ...params, range: { from: noon - dayMs, to: noon + dayMs } })).scope?.message, undefined, 'nothing of this range is deleted');
    await forgetting.close();
  });
});
