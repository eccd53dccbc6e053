import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Receipt } from '../../../server/api/receipt.ts';
import { silentLog } from '../../../server/base/log.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { openLedger } from '../../../server/ledger/sqlite/sqliteLedger.ts';
import type { Pricer } from '../../../server/pricing/pricing.ts';
import { aReceipt, anAttempt, exact, noon, running, tokens } from '../ledger/receipts.ts';
import { createTestRouter } from './createTestRouter.ts';

test('a status snapshot and the cap of second requests neither commit nor read the ledger', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-status-'));
  t.mock.timers.enable({ apis: ['setInterval'] });
  const ledger = openLedger({ dataDir: folder, clock: { now: () => noon }, log: silentLog, instanceId: 'a' });
  const pricer: Pricer = { isReady: true, ready: () => Promise.resolve(), priceAttempt: () => exact(40), contextWindow: () => undefined } as never;
  const { router, events, services } = createTestRouter({ ledger, pricer, interfaces: () => ({}) });
  const ends = (receipt: Receipt): void => {
    const exchange = { receipt, tick() {}, progress: () => receipt, interrupt() {}, stop: () => false as const };
    events.ended.emit({ exchange, receipt, attempts: receipt.attempts.map((record) => ({ record, price: {} as never })), route: undefined });
  };
  t.after(async () => {
    await router.shutdown();
    rmSync(folder, { recursive: true, force: true });
  });
  const { config } = resolveConfig({
    endpoints: { relay: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false } } }, routes: {},
  }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  router.configure(config, new Map(), []);
  const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(() => { setImmediate(resolve); }); });
  await turn();
  const attempt = anAttempt({ endpoint: 'relay', model: 'm', usage: tokens(1, 1), role: 'hedge' });
  const ended = aReceipt('x-1', { attempts: [attempt] });
  ends(ended);
  await turn();
  const open = running(aReceipt('x-2', { attempts: [{ ...attempt, cost: { certainty: 'unknown' } }] }));
  events.started.emit({ exchange: { receipt: open, tick() {}, progress: () => open, interrupt() {}, stop: () => false } });
  t.mock.timers.tick(1_000);
  await turn();
  // The record waits for a commit while the snapshot is made.
  const waits = aReceipt('x-3', { attempts: [{ ...attempt, role: undefined }] });
  ends(waits);
  await turn();

  let statements = 0;
  for (const [owner, names] of [[StatementSync.prototype, ['run', 'get', 'all', 'iterate']], [DatabaseSync.prototype, ['exec', 'prepare']]] as const) {
    for (const name of names) {
      const original = (owner as never as Record<string, (...args: unknown[]) => unknown>)[name];
      t.mock.method(owner as never, name as never, function counted(this: unknown, ...args: unknown[]) {
        statements += 1;
        return original?.apply(this, args);
      } as never);
    }
  }
  const snapshot = router.status({ state: 'off' });
  assert.equal(services.hedgeSpentToday('auto'), 80);
  assert.equal(statements, 0);
  // The running exchange has an estimated price by now.
  assert.deepEqual([snapshot.todayMicroUsd, snapshot.todayUnknown, snapshot.ledgerRevision], [120, 0, 2]);
  assert.equal(snapshot.endpoints[0]?.todayMicroUsd, 120);
  ledger.flush();
  assert.ok(statements > 0, 'the sum agrees with the ledger');
});
