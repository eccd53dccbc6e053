import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emptySum } from '../../../../server/api/reports/dashboard.ts';
import type { GroupedSpend } from '../../../../server/api/reports/groupedSpend.ts';
import type { SpendReport } from '../../../../server/api/receipt.ts';
import { silentLog } from '../../../../server/base/log.ts';
import type { SharedLedgerConfig } from '../../../../server/config/ledger/ledgerConfig.ts';
import { SharedLedger } from '../../../../server/router/sharedLedger/sharedLedger.ts';
import type { LedgerJournal } from '../../../../server/ledger/journal.ts';
import type { SharedLedgerFigures, SharedLedgerStore } from '../../../../server/ledger/sharedLedger.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { aReceipt, noon } from '../../ledger/receipts.ts';

const day = { from: noon - 1, to: noon + 1 };
const config: SharedLedgerConfig = { postgres: { host: 'db', port: 5432, database: 'ledger', user: 'w', password: 'p', tls: undefined, schema: 'waybill', connections: 2, keptMs: undefined, name: 'one' }, secrets: [] };

/** A table of one sum. */
function groupedOf(microUsd: number): GroupedSpend {
  return { range: day, by: 'model', totals: { ...emptySum(), microUsd }, rows: [] };
}

/** A shared ledger that is there or away, as a test says. */
class FakeStore implements SharedLedgerStore {
  why: string | undefined;
  closed = 0;
  readonly #report: SpendReport;
  constructor(report: SpendReport) { this.#report = { ...report, scope: { replicas: 'all', count: 2 } }; }
  #answer<Result>(result: Result): Promise<Result> {
    return this.why === undefined ? Promise.resolve(result) : Promise.reject(new Error(this.why));
  }
  tick(): void { /* Nothing waits. */ }
  spend(): Promise<SpendReport> { return this.#answer(this.#report); }
  grouped(): Promise<GroupedSpend> { return this.#answer({ ...groupedOf(5), scope: { replicas: 'all', count: 2 } }); }
  spentBy(): Promise<[]> { return this.#answer([]); }
  bill(): Promise<{ models: []; attempts: [] }> { return this.#answer({ models: [], attempts: [] }); }
  receipt(id: string): Promise<ReturnType<typeof aReceipt> | undefined> { return this.#answer(id === 'theirs' ? aReceipt('theirs') : undefined); }
  figures(): SharedLedgerFigures { return { isUp: this.why === undefined, waiting: 0, lagMs: 0, batches: 1, exchanges: 1, refused: 0, errors: 0, busyMs: 0 }; }
  close(): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }
}

async function shared(): Promise<{ part: SharedLedger; store: FakeStore; loads: () => number }> {
  const ledger = Object.assign(new InMemoryLedger(), { journal: {} as LedgerJournal }) as unknown as ConstructorParameters<typeof SharedLedger>[0]['ledger'];
  ledger.close(aReceipt('mine'));
  const store = new FakeStore(await ledger.spend({ from: 0, to: 1 }));
  let loads = 0;
  const part = new SharedLedger({
    ledger, clock: { now: () => noon }, log: silentLog,
    load: () => {
      loads += 1;
      return Promise.resolve(() => store);
    },
  });
  return { part, store, loads: () => loads };
}

describe('the ledger as replicas read it', () => {
  it('is that of the data folder alone, and loads nothing, where none is shared', async () => {
    const { part, loads } = await shared();
    part.configure(undefined);
    part.tick();
    const report = await part.spend(day);
    assert.deepEqual(await part.grouped({ range: day, by: 'model', filter: {} }, () => Promise.resolve(groupedOf(1))), groupedOf(1));
    assert.deepEqual([report.totals.exchanges, report.scope, part.isPartial, part.figures(), loads()], [1, undefined, false, undefined, 0]);
  });

  it('is the shared one where it can be read, with the receipts of other replicas', async () => {
    const { part, loads } = await shared();
    part.configure(config);
    part.configure(structuredClone(config));
    assert.deepEqual((await part.spend(day)).scope, { replicas: 'all', count: 2 });
    assert.equal((await part.receipt('theirs'))?.id, 'theirs');
    assert.equal((await part.receipt('mine'))?.id, 'mine');
    const grouped = await part.grouped({ range: day, by: 'model', filter: {} }, () => assert.fail('The own ledger is not read.'));
    assert.deepEqual([grouped.totals.microUsd, grouped.scope], [5, { replicas: 'all', count: 2 }]);
    assert.deepEqual([part.isPartial, loads()], [false, 1]);
  });

  it('is the own part, and says so, while the shared one is away', async () => {
    const { part, store } = await shared();
    part.configure(config);
    store.why = 'Nothing answers at db:5432; see that PostgreSQL runs there.';
    const { totals, scope } = await part.spend(day);
    assert.deepEqual([totals.exchanges, scope], [1, { replicas: 'own', message: 'These are the sums of this replica alone: Nothing answers at db:5432; see that PostgreSQL runs there.' }]);
    assert.equal(part.isPartial, true);
    const grouped = await part.grouped({ range: day, by: 'model', filter: {} }, () => Promise.resolve(groupedOf(1)));
    assert.deepEqual([grouped.totals.microUsd, grouped.scope], [1, scope]);
    assert.equal(await part.receipt('theirs'), undefined);
    // A part cannot be compared with a whole bill.
    await assert.rejects(part.bill(day, ['openai'], 0), { message: 'The shared ledger cannot be read now: Nothing answers at db:5432; see that PostgreSQL runs there.' });
    store.why = undefined;
    assert.equal((await part.spend(day)).scope?.replicas, 'all');
    assert.equal(part.isPartial, false);
  });

  it('is the own part, and says so, where its configuration has a mistake', async () => {
    const { part, loads } = await shared();
    part.configure({ postgres: undefined, secrets: [] });
    assert.match((await part.spend(day)).scope?.message ?? '', /the configuration of the shared ledger has a mistake/);
    assert.deepEqual([part.figures()?.isUp, loads()], [false, 0]);
  });

  it('closes the one before where the configuration names another, and the last with the server', async () => {
    const { part, store } = await shared();
    part.configure(config);
    await part.spend(day);
    part.configure({ ...config, postgres: { ...config.postgres as NonNullable<typeof config.postgres>, database: 'other' } });
    await part.spend(day);
    assert.equal(store.closed, 1);
    await part.close();
    assert.equal(store.closed, 2);
  });
});
