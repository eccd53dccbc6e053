import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { silentLog } from '../../../../server/base/log.ts';
import { openLedger } from '../../../../server/ledger/sqlite/sqliteLedger.ts';
import { aReceipt, noon } from '../receipts.ts';

test('under a load without pause the write-ahead log is copied back and written from its beginning again; in quiet it is given back', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-wal-'));
  const ledger = openLedger({ dataDir: folder, clock: { now: () => noon }, log: silentLog, instanceId: 'a', isAlive: () => true });
  t.after(() => {
    ledger.shutdown();
    rmSync(folder, { recursive: true, force: true });
  });
  const size = (file: string): number => statSync(join(folder, file)).size;
  const message = 'x'.repeat(20_000);
  const sizes: number[] = [];
  for (let batch = 0; batch < 60; batch += 1) {
    for (let one = 0; one < 20; one += 1) ledger.close(aReceipt(`x-${String(batch)}-${String(one)}`, { outcome: 'failed', message }));
    ledger.flush();
    sizes.push(size('ledger.db-wal'));
  }
  const written = 60 * 20 * message.length;
  const largest = Math.max(...sizes);
  assert.ok(largest < written / 2, `${String(largest)} bytes of log for ${String(written)} bytes of records`);
  assert.deepEqual(sizes, sizes.toSorted((one, other) => one - other), 'the log was made anew');
  assert.ok(size('ledger.db') > written / 2, `${String(size('ledger.db'))} bytes in the file itself`);
  for (let waited = 0; size('ledger.db-wal') > 0 && waited < 20_000; waited += 50) await wait(50);
  assert.equal(size('ledger.db-wal'), 0);
});
