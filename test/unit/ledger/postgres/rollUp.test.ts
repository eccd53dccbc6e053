import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { SpentScope } from '../../../../server/ledger/spend.ts';
import { missingEngine, startPostgres } from '../../../support/engines/engines.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { randomReceipts } from '../dashboard/randomReceipts.ts';
import { noon } from '../receipts.ts';
import { aReplica, figuresOf, type Replica } from './sharedLedgers.ts';

const dayMs = 86_400_000;
const span = { from: noon - 40 * dayMs, to: noon };
const scopes: readonly SpentScope[] = ['branch', 'route', 'conversation', 'extension', 'token'];

describe('the sums of the ledger that replicas share', { skip: missingEngine('postgres') }, () => {
  let engine: Awaited<ReturnType<typeof startPostgres>>;
  before(async () => { engine = await startPostgres(); });
  const told = (sql: string): string => engine.query(sql)[0]?.join(' ') ?? '';

  it('are those of all records, before, while and after they are rolled up, over ranges of any kind, with prices that come late', async () => {
    const random = seededRandom(20_261_128);
    const schema = 'random';
    const [one, other, alone] = [aReplica(engine.url, 'random-1', { schema }), aReplica(engine.url, 'random-2', { schema }), aReplica(engine.url, 'random-3', { schema: 'unused' })];
    const receipts = randomReceipts(1_500, random, span);
    const record = (replica: Replica, of: typeof receipts): void => {
      for (const receipt of of) {
        replica.local.close(receipt);
        alone.local.close(receipt);
      }
    };
    const ranges = [span, { from: 0, to: noon + dayMs }, ...Array.from({ length: 6 }, () => {
      const from = span.from + Math.floor(random() * 30 * dayMs);
      return { from, to: from + Math.floor(random() * 10 * dayMs) };
    }), { from: noon - 1_000_000, to: noon - 900_000 }, { from: noon - 5 * dayMs, to: noon - 3 * dayMs }];
    const same = async (): Promise<void> => {
      for (const range of ranges) {
        const [shared, local] = [await one.shared.spend(range), await alone.local.spend(range)];
        assert.deepEqual(figuresOf(shared), figuresOf(local));
        assert.deepEqual([shared.totals.unpriced, shared.totals.unpricedAttempts, shared.totals.coveredAttempts], [local.totals.unpriced, local.totals.unpricedAttempts, local.totals.coveredAttempts]);
        for (const scope of scopes) {
          const sorted = (found: Awaited<ReturnType<typeof one.shared.spentBy>>): unknown[] => found.sort((a, b) => (a.name < b.name ? -1 : 1));
          assert.deepEqual(sorted(await one.shared.spentBy(range, scope)), sorted(await alone.local.spentBy(range, scope)));
        }
      }
    };
    const allCopied = async (): Promise<void> => {
      for (const replica of [one, other]) await replica.until(() => replica.shared.figures().waiting === 0 && replica.shared.figures().isUp);
    };
    record(one, receipts.slice(0, 500));
    record(other, receipts.slice(500, 1_000));
    await allCopied();
    await same();
    await one.until(() => told(`SELECT count(*) FROM ${schema}.changed_slots`) === '0');
    assert.ok(Number(told(`SELECT count(*) FROM ${schema}.spend_cells`)) > 500);
    await same();
    // Prices that were not known, and more records in quarters of an hour that are rolled up.
    record(other, receipts.slice(500, 700).map(receipt => ({ ...receipt, attempts: receipt.attempts.map(attempt => (attempt.cost.certainty === 'unknown' ? { ...attempt, cost: { certainty: 'exact' as const, microUsd: 321, priceSource: 'config' } } : attempt)) })));
    record(one, receipts.slice(1_000));
    await allCopied();
    await same();
    await other.until(() => told(`SELECT count(*) FROM ${schema}.changed_slots`) === '0');
    await same();
    await Promise.all([one, other, alone].map(replica => replica.close()));
  });

  it('of 100,000 attempts are made in portions, once, by whichever replica comes first', async () => {
    const schema = 'many';
    const [one, other] = [aReplica(engine.url, 'many-1', { schema }), aReplica(engine.url, 'many-2', { schema })];
    await Promise.all([one, other].map(({ shared }) => shared.spend(span)));
    const start = noon - 60 * dayMs;
    told(`INSERT INTO ${schema}.exchanges (id, replica, started_at, tool) SELECT 'y-' || n, 'r', ${start} + n * 51840, 'tool-' || n % 7 FROM generate_series(0::bigint, 99999) AS n;
      INSERT INTO ${schema}.attempts (exchange_id, number, started_at, endpoint, model, tool, cost_certainty, is_shadow, micro_usd, estimated_micro_usd, unknown_attempts, exchanges, covered_attempts)
        SELECT 'y-' || n, 1, ${start} + n * 51840, 'endpoint-' || n % 3, 'model-' || n % 5, 'tool-' || n % 7, 'exact', 0, n % 1000, 0, 0, 1, 0 FROM generate_series(0::bigint, 99999) AS n;
      INSERT INTO ${schema}.changed_slots (slot) SELECT DISTINCT started_at / 900000 FROM ${schema}.attempts`);
    await Promise.all([one, other].map(replica => replica.until(() => told(`SELECT count(*) FROM ${schema}.changed_slots`) === '0')));
    const { totals, byEndpoint } = await one.shared.spend({ from: start, to: noon });
    assert.deepEqual([totals.microUsd, totals.exchanges, byEndpoint.length], [49_950_000, 100_000, 3]);
    assert.equal(told(`SELECT sum(micro_usd), sum(exchanges) FROM ${schema}.spend_cells WHERE level = 1`), '49950000 100000');
    assert.equal(told(`SELECT sum(usd)::float8, sum(requests) FROM ${schema}.spend_by_day`), '49.95 100000');
    await Promise.all([one.close(), other.close()]);
  });
});
