import { after } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../../server/base/log.ts';
import { openLedger } from '../../../server/ledger/sqlite/sqliteLedger.ts';
import { InMemoryLedger } from './inMemoryLedger.ts';
import { ledgerContract } from './ledgerContract.ts';
import { noon } from './receipts.ts';

const root = mkdtempSync(join(tmpdir(), 'waybill-ledger-'));
after(() => { rmSync(root, { recursive: true, force: true }); });
let count = 0;

ledgerContract('the ledger in SQLite', () => {
  count += 1;
  return openLedger({ dataDir: join(root, String(count)), clock: { now: () => noon }, log: silentLog, instanceId: `i-${count}` });
});

ledgerContract('the ledger in memory', () => new InMemoryLedger());
