import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { addSum, emptySum, mostSpendRows, spendDimensionNames, type SpendDimension, type SpendFilter, type SpendSum } from '../../../../server/api/reports/dashboard.ts';
import type { Attempt, Receipt } from '../../../../server/api/receipt.ts';
import { silentLog } from '../../../../server/base/log.ts';
import type { Ledger } from '../../../../server/ledger/ports.ts';
import { CellFold } from '../../../../server/ledger/sqlite/dashboard/cellFold.ts';
import { openLedger } from '../../../../server/ledger/sqlite/sqliteLedger.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { InMemoryLedger } from '../inMemoryLedger.ts';
import { aReceipt, anAttempt, exact, noon, running } from '../receipts.ts';
import { randomReceipts } from './randomReceipts.ts';

const root = mkdtempSync(join(tmpdir(), 'waybill-dashboard-'));
after(() => { rmSync(root, { recursive: true, force: true }); });
let count = 0;

const dayMs = 86_400_000;
const span = { from: noon - 9 * dayMs, to: noon };

interface Pair { real: Ledger; naive: InMemoryLedger; folder: string; close(): void }

/** @param early what is written of an exchange while it runs; absent: nothing */
function ledgers(receipts: readonly Receipt[], early?: (receipt: Receipt) => Receipt | undefined): Pair {
  count += 1;
  const folder = join(root, String(count));
  const real = openLedger({ dataDir: folder, clock: { now: () => noon }, log: silentLog, instanceId: `i-${count}` });
  const naive = new InMemoryLedger();
  for (const receipt of receipts) {
    const open = early?.(receipt);
    if (open !== undefined) real.progress(open);
  }
  real.flush();
  for (const receipt of receipts) {
    real.close(receipt);
    naive.close(receipt);
  }
  real.flush();
  return { real, naive, folder, close: () => { real.shutdown(); } };
}

/** Brings the roll-up of a folder up to date, as the server does by and by. */
function foldAll(folder: string): number {
  const database = new DatabaseSync(join(folder, 'ledger.db'));
  const fold = new CellFold(database);
  while (fold.fold());
  const folded = Number(database.prepare(`SELECT value FROM counters WHERE name = 'cells_rolled_up'`).get()?.['value']);
  database.close();
  return folded;
}

/** Ranges that begin and end inside and at borders of quarters of an hour and of days, in and around the receipts. */
const ranges = [
  { from: noon - 10 * dayMs, to: noon + dayMs }, { from: noon - 5 * dayMs + 12_345, to: noon - dayMs - 54_321 },
  { from: Date.UTC(2026, 10, 15), to: Date.UTC(2026, 10, 17) }, { from: noon - 5_000_000, to: noon - 4_900_000 }, { from: noon - 5 * 3_600_000, to: noon - 3_600_000 },
];
const filters: SpendFilter[] = [
  {}, { model: 'small' }, { tool: '=odd,"name"', endpoint: 'claude' }, { conversation: 'c-3' }, { notRecorded: ['conversation'] }, { notRecorded: ['workspace', 'provider'] },
  { part: 'failover' }, { kind: 'balanced', route: 'auto' }, { workspace: 'elsewhere' },
];

describe('the Spend dashboard', () => {
  for (const seed of [1, 2]) {
    it(`says the same from the roll-up and from the attempts, whatever is asked (seed ${seed})`, { timeout: 120_000 }, async () => {
      const random = seededRandom(seed);
      const { real, naive, folder, close } = ledgers(randomReceipts(900, random, span), (receipt) => (random() < 0.3 ? asItRan(receipt) : undefined));
      for (const folded of [false, true]) {
        if (folded) assert.ok(foldAll(folder) > 400);
        for (const [index, filter] of filters.entries()) {
          const rows = spendDimensionNames[(index * 5 + seed) % spendDimensionNames.length] as SpendDimension;
          const columns = index % 3 === 2 ? 'conversation' : spendDimensionNames[(index * 3 + 1) % spendDimensionNames.length] as SpendDimension;
          for (const range of ranges) {
            const params = { range, filter, rows, columns, limit: index % 2 === 0 ? 4 : 50, historyFrom: range.from - 3 * dayMs };
            assert.deepEqual(await real.dashboard(params), await naive.dashboard(params), JSON.stringify({ folded, params }));
          }
        }
      }
      close();
    });
  }

  it('adds up by every dimension, crossed or not, to the total and to the ledger', { timeout: 60_000 }, async () => {
    const { real, folder, close } = ledgers(randomReceipts(900, seededRandom(5), span));
    foldAll(folder);
    const range = { from: noon - 10 * dayMs, to: noon + dayMs };
    const { totals } = await real.spend(range);
    for (const [index, rows] of spendDimensionNames.entries()) {
      const columns = spendDimensionNames[(index + 5) % spendDimensionNames.length];
      for (const limit of [3, mostSpendRows]) {
        const dashboard = await real.dashboard({ range, filter: {}, rows, columns, limit });
        const { microUsd, estimatedMicroUsd, unknownAttempts, unpricedAttempts, coveredAttempts } = dashboard.totals;
        assert.deepEqual({ microUsd, estimatedMicroUsd, unknownAttempts, unpricedAttempts, coveredAttempts },
          { microUsd: totals.microUsd, estimatedMicroUsd: totals.estimatedMicroUsd, unknownAttempts: totals.unknownAttempts, unpricedAttempts: totals.unpricedAttempts, coveredAttempts: totals.coveredAttempts });
        const { groups, cross, parts, steps } = dashboard;
        assert.deepEqual(added([...groups.rows, ...(groups.rest === undefined ? [] : [groups.rest.sum])]), dashboard.totals, rows);
        assert.deepEqual(added(parts), dashboard.totals);
        assert.equal(steps.reduce((sum, step) => sum + step.microUsd, 0), totals.microUsd);
        assert.equal(steps.reduce((sum, step) => sum + step.unknownAttempts, 0), totals.unknownAttempts);
        for (const [line, row] of groups.rows.entries()) assert.deepEqual(added(cross?.lines[line] ?? []), sumOf(row), `${rows} by ${String(columns)}`);
      }
    }
    close();
  });

  it('finds the conversations and requests that cost most', async () => {
    const { real, naive, folder, close } = ledgers(randomReceipts(900, seededRandom(8), span));
    for (const folded of [false, true]) {
      if (folded) foldAll(folder);
      for (const filter of [{}, { conversation: 'c-3' }, { tool: 'claude-code' }] satisfies SpendFilter[]) {
        const params = { range: { from: noon - 8 * dayMs, to: noon }, filter, limit: 10 };
        const [found, wanted] = [await real.dearest(params), await naive.dearest(params)];
        assert.deepEqual(found.conversations.map(({ conversation, microUsd, requests }) => [conversation, microUsd, requests]), wanted.conversations.map(({ conversation, microUsd, requests }) => [conversation, microUsd, requests]));
        assert.deepEqual(found.requests.map(({ cost }) => cost.microUsd), wanted.requests.map(({ cost }) => cost.microUsd));
      }
    }
    close();
  });

  it('says the first words of a conversation where they are kept, those of its earliest request', async () => {
    const of = (id: string, conversation: string, startedAt: number, title?: string): Receipt => ({ ...aReceipt(id, { startedAt, caller: { tool: 'codex', conversation } }), ...(title === undefined ? {} : { title }) });
    const { real, naive, close } = ledgers([of('a', 'c-1', noon + 3, 'Later words'), of('b', 'c-1', noon + 2, 'First words'), of('c', 'c-1', noon + 1), of('d', 'c-2', noon + 1)]);
    for (const ledger of [real, naive]) {
      const { conversations } = await ledger.dearest({ range: { from: noon, to: noon + dayMs }, filter: {}, limit: 10 });
      assert.deepEqual(conversations.map(({ conversation, title }) => [conversation, title]), [['c-1', 'First words'], ['c-2', undefined]]);
      assert.ok(!conversations.some(one => 'title' in one && one.title === undefined));
    }
    close();
  });

  it('counts a request at once, also one that still runs, and takes nothing in that may still change', async () => {
    const { real, folder, close } = ledgers(Array.from({ length: 700 }, (_, index) => aReceipt(`r-${index}`)));
    const params = { range: { from: noon, to: noon + dayMs }, filter: {}, rows: 'part' } as const;
    const failed = anAttempt({ outcome: 'failed', failureClass: 'overloaded', cost: exact(5), usage: {} });
    const first = aReceipt('open', { attempts: [failed, anAttempt({ number: 2, cost: exact(11) })] });
    real.progress(running(first));
    real.flush();
    for (let index = 0; index < 700; index += 1) real.close(aReceipt(`s-${index}`));
    real.flush();
    assert.ok(foldAll(folder) <= 700);
    assert.equal((await real.dashboard(params)).totals.microUsd, 1_400 * 2_800 + 16);
    real.close(first);
    const { parts } = await real.dashboard(params);
    assert.equal(parts.find(({ name }) => name === 'retry')?.microUsd, 5);
    close();
  });

  it('counts a request whose last attempt ended, and was written, before the first', async () => {
    const winner = anAttempt({ cost: exact(40) });
    const hedged = (id: string): Receipt => aReceipt(id, { attempts: [winner, anAttempt({ number: 2, role: 'hedge', outcome: 'cancelled', cost: exact(2) })] });
    const shadow: Receipt = { ...hedged('shadow'), shadow: { of: 'r-0', route: 'auto', arm: 'shadow' } };
    const { real, close } = ledgers([hedged('hedged'), shadow], (receipt) => ({ ...receipt, outcome: 'open', attempts: [{ ...winner, outcome: 'interrupted' }, ...receipt.attempts.slice(1)] }));
    const range = { from: noon, to: noon + 1 };
    assert.equal((await real.dashboard({ range, filter: {}, rows: 'model' })).totals.requests, 1);
    const { totals, byTool } = await real.spend(range);
    assert.deepEqual([totals.exchanges, byTool.map(({ exchanges }) => exchanges)], [1, [1]]);
    close();
  });

  it('of an earlier version has names that were not recorded, and can be asked for them', async () => {
    const bare = aReceipt('old', { caller: { tool: 'http' }, attempts: [{ ...anAttempt(), provider: undefined }] });
    const { real, close } = ledgers([bare, aReceipt('new')]);
    const params = { range: { from: noon, to: noon + 1 }, filter: {}, rows: 'provider' } as const;
    assert.deepEqual((await real.dashboard(params)).groups.rows.map(({ name }) => name), ['openai', null].sort());
    assert.equal((await real.dashboard({ ...params, filter: { notRecorded: ['extension'] } })).totals.requests, 1);
    close();
  });

  it('starts its thread with the first question and ends it with the ledger', async () => {
    const { real, close } = ledgers([aReceipt('x')]);
    const params = { range: { from: noon, to: noon + 1 }, filter: {}, rows: 'model' } as const;
    await Promise.all([real.dashboard(params), real.dashboard(params)]);
    close();
    await assert.rejects(real.dashboard(params), /is closed/);
  });
});

/** An exchange whose attempts have ended, all but interrupted ones, before it does: their known costs are estimates so far. */
function asItRan(receipt: Receipt): Receipt {
  const attempts = receipt.attempts.map((attempt): Attempt => (attempt.cost.microUsd === undefined ? attempt : { ...attempt, cost: { certainty: 'estimated', microUsd: 17, priceSource: 'config' } }));
  return { ...receipt, outcome: 'open', attempts };
}

function added(sums: readonly SpendSum[]): SpendSum {
  const sum = emptySum();
  for (const one of sums) addSum(sum, one);
  return sum;
}

function sumOf(row: SpendSum): SpendSum {
  return added([row]);
}
