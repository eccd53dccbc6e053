import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { test } from 'node:test';
import { silentLog } from '../../../server/base/log.ts';
import { SecretRegister } from '../../../server/base/secrets/redact.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { openLedger } from '../../../server/ledger/sqlite/sqliteLedger.ts';
import type { Pricer } from '../../../server/pricing/pricing.ts';
import { Router } from '../../../server/router/router.ts';
import { aReceipt, anAttempt, exact, noon, running, tokens } from '../ledger/receipts.ts';

test('a status snapshot and the cap of second requests neither commit nor read the ledger', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-status-'));
  t.mock.timers.enable({ apis: ['setInterval'] });
  const ledger = openLedger({ dataDir: folder, clock: { now: () => noon }, log: silentLog, instanceId: 'a' });
  const pricer: Pricer = { isReady: true, ready: () => Promise.resolve(), priceAttempt: () => exact(40), contextWindow: () => undefined } as never;
  const router = new Router({ ledger, pricer, register: new SecretRegister(), clock: { now: () => noon }, random: () => 0.5, log: silentLog, interfaces: () => ({}) });
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
  router.settled({ receipt: ended, tick() {}, progress: () => ended }, ended, [{} as never]);
  await turn();
  const open = running(aReceipt('x-2', { attempts: [{ ...attempt, cost: { certainty: 'unknown' } }] }));
  router.started({ receipt: open, tick() {}, progress: () => open });
  t.mock.timers.tick(1_000);
  await turn();
  // Its record waits for a commit while the snapshot is made.
  const waits = aReceipt('x-3', { attempts: [{ ...attempt, role: undefined }] });
  router.settled({ receipt: waits, tick() {}, progress: () => waits }, waits, [{} as never]);
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
  assert.equal(router.hedgeSpentToday('auto'), 80);
  assert.equal(statements, 0);
  // What runs has a price by now, an estimate.
  assert.deepEqual([snapshot.todayMicroUsd, snapshot.todayUnknown, snapshot.ledgerRevision], [120, 0, 2]);
  assert.equal(snapshot.endpoints[0]?.todayMicroUsd, 120);
  ledger.flush();
  assert.ok(statements > 0, 'the count sees what the ledger does');
});
