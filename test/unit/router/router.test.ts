import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Receipt } from '../../../server/api/receipt.ts';
import { silentLog } from '../../../server/base/log.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import type { BuiltRouter } from '../../../server/app/createRouter.ts';
import { createPricer } from '../../../server/pricing/pricing.ts';
import { InMemoryLedger } from '../ledger/inMemoryLedger.ts';
import { aReceipt, anAttempt, running, tokens } from '../ledger/receipts.ts';
import { createTestRouter } from './createTestRouter.ts';

/** A router with one endpoint `relay` that has a price for `m`, whose price table never comes. */
function router(t: TestContext, ledger: InMemoryLedger): { events: BuiltRouter['events']; said: string[]; loads: () => number; configure: () => void } {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const said: string[] = [];
  let loads = 0;
  const log = { ...silentLog, error: (message: string) => { said.push(message); } };
  const pricer = createPricer({ log, load: () => { loads += 1; return new Promise(() => {}); } });
  const { router: made, events } = createTestRouter({ ledger, pricer, log });
  t.after(() => made.shutdown());
  const { config, problems } = resolveConfig({
    endpoints: { relay: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false }, models: { m: { prices: { inputPerMTok: 2, outputPerMTok: 8 } } } } },
    routes: {},
  }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  return { events, said, loads: () => loads, configure: () => { made.configure(config, new Map(), problems); } };
}

test('what still runs is priced each second with the configured prices, while the price table is being loaded', (t) => {
  const ledger = new InMemoryLedger();
  const { events, loads, configure } = router(t, ledger);
  configure();
  t.mock.timers.tick(1000);
  assert.equal(loads(), 0);
  const attempt = anAttempt({ endpoint: 'relay', model: 'm', outcome: 'interrupted', usage: tokens(1_000, 100), cost: { certainty: 'unknown' } });
  const receipt: Receipt = running(aReceipt('x-1', { attempts: [attempt] }));
  events.started.emit({ exchange: { receipt, tick() {}, progress: () => receipt, interrupt() {} } });
  t.mock.timers.tick(1000);
  assert.equal(loads(), 1);
  assert.equal(ledger.receipts.get('x-1')?.attempts[0]?.cost.microUsd, 2_800);
});

test('a ledger whose past cannot be read does not keep the server from starting', (t) => {
  class Unreadable extends InMemoryLedger {
    override recentAttempts(): never { throw new Error('out of range'); }
  }
  const { said, configure } = router(t, new Unreadable());
  configure();
  assert.deepEqual(said, ['What was learnt in the last minutes could not be read from the ledger; health starts without it.']);
});
