import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { silentLog } from '../../../../../server/base/log.ts';
import type { Ledger } from '../../../../../server/ledger/ports.ts';
import { LedgerUnavailableError } from '../../../../../server/ledger/ledgerUnavailable.ts';
import { openLedger } from '../../../../../server/ledger/sqlite/sqliteLedger.ts';
import { countTitles, forgetTitles } from '../../../../../server/ledger/sqlite/titles/keptTitles.ts';
import { aReceipt, noon, running } from '../../receipts.ts';

const root = mkdtempSync(join(tmpdir(), 'waybill-titles-'));
after(() => { rmSync(root, { recursive: true, force: true }); });
let folders = 0;

/** A ledger whose requests have titles, but every tenth. */
function ledgerWith(requests: number): { folder: string; file: string; ledger: Ledger } {
  const folder = join(root, String(folders++));
  const ledger = openLedger({ dataDir: folder, clock: { now: () => noon }, log: silentLog, instanceId: `i-${String(folders)}` });
  for (let number = 0; number < requests; number += 1) {
    const receipt = aReceipt(`r-${String(number)}`, number % 10 === 0 ? {} : { title: `Quokka ${'x'.repeat(number % 40)}` });
    // Some have a row before they end, which is then rewritten.
    if (number % 3 === 0) {
      ledger.progress(running(receipt));
      ledger.flush();
    }
    ledger.close(receipt);
  }
  ledger.flush();
  return { folder, file: join(folder, 'ledger.db'), ledger };
}

function holding(folder: string, text: string): string[] {
  return readdirSync(folder).filter(name => readFileSync(join(folder, name)).includes(text));
}

describe('titles in the ledger file', () => {
  it('are removed to the last byte, and nothing else is', async () => {
    const { folder, file, ledger } = ledgerWith(300);
    const before = (await ledger.find({}, 1_000)).requests;
    assert.notDeepEqual(holding(folder, 'Quokka'), []);
    assert.deepEqual([await ledger.keptTitles(), await ledger.forgetTitles(), await ledger.keptTitles()], [270, { count: 270, damagedCopies: [] }, 0]);
    assert.deepEqual(holding(folder, 'Quokka'), []);
    assert.deepEqual((await ledger.find({}, 1_000)).requests, before.map(({ title: _title, ...request }) => request));
    const database = new DatabaseSync(file, { readOnly: true });
    assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    database.close();
    ledger.close(aReceipt('later', { title: 'Wombats' }));
    assert.deepEqual([await ledger.keptTitles(), (await ledger.receipt('later'))?.title], [1, 'Wombats']);
    ledger.shutdown();
  });

  it('of a request that runs do not come back when it ends', async () => {
    const { folder, ledger } = ledgerWith(0);
    const receipt = aReceipt('runs', { title: 'Quokka at noon' });
    ledger.open(running(receipt));
    assert.deepEqual(await ledger.forgetTitles(), { count: 1, damagedCopies: [] });
    ledger.close(receipt);
    ledger.flush();
    assert.deepEqual([await ledger.keptTitles(), (await ledger.receipt('runs'))?.outcome, holding(folder, 'Quokka')], [0, 'ok', []]);
    ledger.shutdown();
  });

  it('are said to be left in the write-ahead log while somebody reads it, and are gone after the next try', () => {
    const { folder, file, ledger } = ledgerWith(50);
    const reader = new DatabaseSync(file, { readOnly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM exchanges').get();
    assert.throws(() => forgetTitles(file, 0), (error: Error) => error instanceof LedgerUnavailableError && /may still hold their words; forget them again in a moment\.$/.test(error.message));
    reader.exec('COMMIT');
    reader.close();
    assert.equal(countTitles(file), 0);
    assert.equal(forgetTitles(file, 0), 0);
    assert.deepEqual(holding(folder, 'Quokka'), []);
    ledger.shutdown();
  });

  it('in damaged ledgers that were moved aside are named, not touched', async () => {
    const { folder, ledger } = ledgerWith(1);
    for (const suffix of ['', '-wal', '-shm']) writeFileSync(join(folder, `ledger.db.damaged-2026-11-01${suffix}`), 'Quokka');
    assert.deepEqual((await ledger.forgetTitles()).damagedCopies, ['ledger.db.damaged-2026-11-01']);
    assert.equal(holding(folder, 'Quokka').length, 3);
    ledger.shutdown();
  });
});
