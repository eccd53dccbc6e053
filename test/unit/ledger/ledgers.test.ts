import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../../server/base/log.ts';
import { openLedger } from '../../../server/ledger/sqlite/sqliteLedger.ts';
import type { Ledger } from '../../../server/ledger/ports.ts';
import { findContract, searched } from './findContract.ts';
import { InMemoryLedger } from './inMemoryLedger.ts';
import { ledgerContract } from './ledgerContract.ts';
import { aReceipt, noon, running } from './receipts.ts';

const root = mkdtempSync(join(tmpdir(), 'waybill-ledger-'));
after(() => { rmSync(root, { recursive: true, force: true }); });
let count = 0;

const inFolder = (folder: string, instanceId: string): Ledger => openLedger({ dataDir: join(root, folder), clock: { now: () => noon }, log: silentLog, instanceId, isAlive: () => true });
const inNewFolder = (): Ledger => {
  count += 1;
  return inFolder(String(count), `i-${count}`);
};
const inMemory = (): Ledger => new InMemoryLedger();

ledgerContract('the ledger in SQLite', inNewFolder);
findContract('the ledger in SQLite', inNewFolder);
ledgerContract('the ledger in memory', inMemory);
findContract('the ledger in memory', inMemory);

it('a search in SQLite looks through a bounded part of the ledger at a time, and finds what is far behind', async () => {
  const ledger = inNewFolder();
  for (let index = 0; index < 4_500; index += 1) ledger.close(aReceipt(`x-${index}`, { startedAt: noon + Math.floor(index / 3), caller: { tool: index === 7 ? 'rare' : 'usual' } }));
  assert.deepEqual(await searched(ledger, { tool: 'rare' }), { ids: ['x-7'], parts: 3 });
  assert.deepEqual(await searched(ledger, { text: 'rare' }), { ids: ['x-7'], parts: 19 });
  assert.deepEqual((await searched(ledger, { tool: 'rare', fromMs: noon + 3 })).ids, []);
  ledger.shutdown();
});

it('a ledger in SQLite tells which of the requests that run are of a peer', async () => {
  const [one, other] = [inFolder('shared', 'i-one'), inFolder('shared', 'i-other')];
  one.open(running(aReceipt('mine')));
  other.open(running(aReceipt('theirs', { startedAt: noon + 1 })));
  one.flush();
  other.flush();
  assert.deepEqual((await one.running()).map(({ id, ofPeer }) => [id, ofPeer]), [['theirs', true], ['mine', false]]);
  one.shutdown();
  other.shutdown();
});
