import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { fromLedger } from '../../../server/app/recordedHistory.ts';
import { silentLog } from '../../../server/base/log.ts';
import { openLedger } from '../../../server/ledger/sqlite/sqliteLedger.ts';
import { aReceipt, anAttempt, exact, noon } from '../ledger/receipts.ts';

const root = mkdtempSync(path.join(tmpdir(), 'waybill-recorded-'));
after(() => { rmSync(root, { recursive: true, force: true }); });

/** A data folder with one request, whose server has ended. */
function recorded(isShared: boolean): string {
  const dataDir = path.join(root, randomUUID());
  const ledger = openLedger({ dataDir, clock: { now: () => noon }, log: silentLog, instanceId: 'before' });
  ledger.close(aReceipt('x-1', { attempts: [anAttempt({ cost: exact(5) })] }));
  if (isShared) ledger.journal?.follow();
  ledger.shutdown();
  return dataDir;
}

describe('spend that is read while no server runs', () => {
  const range = { from: noon - 1, to: noon + 1_000 };
  const read = (dataDir: string): Promise<unknown> => fromLedger(dataDir, silentLog, async (history) => {
    const [report, grouped] = [await history.spend(range), await history.grouped({ range, by: 'model', filter: {} })];
    return [report.totals.microUsd, report.scope, grouped.totals.microUsd, grouped.scope];
  });

  it('says that it is of this data folder alone where replicas share a ledger', async () => {
    const scope = { replicas: 'own', message: 'These are the sums of this data folder alone: no server of it runs, which would ask the ledger that replicas share.' };
    assert.deepEqual(await read(recorded(true)), [5, scope, 5, scope]);
  });

  it('says nothing of replicas where there are none', async () => {
    assert.deepEqual(await read(recorded(false)), [5, undefined, 5, undefined]);
  });
});
