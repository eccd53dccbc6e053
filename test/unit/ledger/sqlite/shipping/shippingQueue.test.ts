import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { silentLog } from '../../../../../server/base/log.ts';
import type { LedgerJournal } from '../../../../../server/ledger/journal.ts';
import { openLedger } from '../../../../../server/ledger/sqlite/sqliteLedger.ts';
import { aReceipt, noon } from '../../receipts.ts';

const root = mkdtempSync(path.join(tmpdir(), 'waybill-shipping-'));
after(() => { rmSync(root, { recursive: true, force: true }); });
let folders = 0;

/** Two servers of one data folder that has some requests. */
function twoServers(requests: number): { one: LedgerJournal; other: LedgerJournal; folder: string } {
  const folder = path.join(root, String(folders += 1));
  const [one, other] = ['one', 'other'].map(instanceId => openLedger({ dataDir: folder, clock: { now: () => noon }, log: silentLog, instanceId, isAlive: () => true }));
  assert.ok(one?.journal !== undefined && other?.journal !== undefined);
  after(() => { one.shutdown(); other.shutdown(); });
  for (let index = 0; index < requests; index += 1) one.close(aReceipt(`e-${String(index)}`));
  return { one: one.journal, other: other.journal, folder };
}

const ids = (batch: ReturnType<LedgerJournal['next']>): unknown[] => (batch?.exchanges ?? []).map(row => row['id']);

describe('what is to be copied to a shared ledger', () => {
  for (const [why, store] of [['to another shared ledger', 'second'], ['to the same one, which lost records', 'first']] as const) {
    it(`is all of it where copying began anew ${why} before another server noted its batch`, () => {
      const { one, other } = twoServers(5);
      one.follow();
      one.restart('first', 0);
      const state = one.follow();
      const late = one.next(3, state);
      assert.equal(late?.exchanges.length, 3);
      // As often as it began anew, with the same number of batches.
      other.restart(store, state.batches);
      one.shipped(late.place, 1);
      assert.deepEqual(ids(other.next(10, other.follow())), ['e-0', 'e-1', 'e-2', 'e-3', 'e-4']);
      assert.equal(other.backlog().exchanges, 5);
      assert.equal(other.follow().batches, 0);
    });
  }

  it('is all of it where copying began anew between the look at the shared ledger and the read of a batch', () => {
    const { one, other } = twoServers(2);
    one.follow();
    one.restart('first', 0);
    const state = one.follow();
    other.restart('second', 0);
    const batch = one.next(10, state);
    assert.equal(batch?.exchanges.length, 2);
    one.shipped(batch.place, 1);
    assert.equal(other.next(10, other.follow())?.exchanges.length, 2);
  });

  it('is less by a batch that is noted late, and the number of batches never goes back', () => {
    const { one, other } = twoServers(5);
    one.follow();
    one.restart('first', 0);
    const [first, second] = [one.next(2, one.follow()), other.next(3, other.follow())];
    assert.ok(first !== undefined && second !== undefined);
    other.shipped(second.place, 2);
    one.shipped(first.place, 1);
    assert.equal(one.follow().batches, 2);
    assert.deepEqual(ids(one.next(10, one.follow())), ['e-3', 'e-4']);
  });

  it('is kept in a file of an earlier version, which did not count how often copying began anew', () => {
    const { one, folder } = twoServers(2);
    one.follow();
    one.restart('first', 4);
    const file = new DatabaseSync(path.join(folder, 'ledger.db'));
    file.exec('ALTER TABLE shipping_state DROP COLUMN restarts');
    file.close();
    const later = openLedger({ dataDir: folder, clock: { now: () => noon }, log: silentLog, instanceId: 'later', isAlive: () => true });
    assert.ok(later.journal !== undefined);
    assert.deepEqual([later.journal.follow().store, later.journal.follow().batches, ids(later.journal.next(10, later.journal.follow()))], ['first', 4, ['e-0', 'e-1']]);
    later.shutdown();
  });
});
