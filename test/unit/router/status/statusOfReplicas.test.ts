import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SpendReport, SpendTotals, TimeRange } from '../../../../server/api/receipt.ts';
import { statusLines } from '../../../../server/app/commands/statusCommand.ts';
import { statusOfReplicas } from '../../../../server/router/status/statusOfReplicas.ts';
import { emptyStatus, endpoint } from '../../client/fakes.ts';

const now = new Date(2026, 10, 20, 12).getTime();
const own = emptyStatus({
  at: now, todayMicroUsd: 5, todayEstimated: true, todayUnknown: 1, todayUnpriced: ['code execution'], endpoints: [endpoint('north', { todayMicroUsd: 5, todayUnknown: 1, todayUnpriced: ['code execution'] }), endpoint('south', { todayMicroUsd: 3 })],
});
const totals = (microUsd: number, more: Partial<SpendTotals> = {}): SpendTotals => ({ microUsd, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 1, usage: {}, ...more });

function reported(scope: SpendReport['scope']): (range: TimeRange) => Promise<SpendReport> {
  return range => Promise.resolve({
    range, totals: totals(2_000_000, { unknownAttempts: 2 }), byEndpoint: [{ name: 'north', ...totals(2_000_000, { estimatedMicroUsd: 1, unpriced: ['search'] }) }, { name: 'gone', ...totals(1) }],
    byModel: [], byTool: [], byWorkspace: [], byDay: [], ...(scope === undefined ? {} : { scope }),
  });
}

describe('the status where replicas share a ledger', () => {
  it('has what all of them spent today, in all and at each endpoint, and says of how many', async () => {
    const asked: TimeRange[] = [];
    const status = await statusOfReplicas(own, range => { asked.push(range); return reported({ replicas: 'all', count: 3 })(range); }, now);
    assert.deepEqual(asked, [{ from: new Date(2026, 10, 20).getTime(), to: now + 1 }]);
    assert.deepEqual([status.todayMicroUsd, status.todayEstimated, status.todayUnknown, status.todayUnpriced, status.todayScope], [2_000_000, false, 2, undefined, { replicas: 'all', count: 3 }]);
    assert.deepEqual(status.endpoints.map(one => [one.name, one.todayMicroUsd, one.todayEstimated, one.todayUnknown, one.todayUnpriced]), [['north', 2_000_000, true, 0, ['search']], ['south', 0, false, 0, undefined]]);
    assert.match(statusLines(status, now)[0] ?? '', /\$2\.00\+ today by 3 replicas/);
  });

  it('keeps the sums of its own, and says that and why, while the shared ledger is away', async () => {
    const message = 'These are the sums of this replica alone: PostgreSQL at db:5432 does not answer.';
    const status = await statusOfReplicas(own, reported({ replicas: 'own', message }), now);
    assert.deepEqual(status, { ...own, todayScope: { replicas: 'own', message } });
    const lines = statusLines(status, now);
    assert.match(lines[0] ?? '', /today by this replica alone/);
    assert.ok(lines.some(line => line.includes(message)), lines.join('\n'));
  });

  it('waits for a bounded time, and is given also where no ledger can be read', async () => {
    const late = await statusOfReplicas(own, () => new Promise(() => undefined), now, 20);
    assert.deepEqual(late, { ...own, todayScope: { replicas: 'own', message: 'These are the sums of this replica alone: the shared ledger did not give those of all within 0.02 s.' } });
    const broken = await statusOfReplicas(own, () => Promise.reject(new Error('the ledger is locked by another program.')), now);
    assert.deepEqual(broken, { ...own, todayScope: { replicas: 'own', message: 'These are the sums of this replica alone: the ledger is locked by another program.' } });
  });

  it('is the same as ever where there is no shared ledger', async () => {
    assert.deepEqual(await statusOfReplicas(own, reported(undefined), now), own);
    assert.doesNotMatch(statusLines(own, now)[0] ?? '', /replica/);
  });
});
