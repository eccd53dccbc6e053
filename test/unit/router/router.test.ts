import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Receipt } from '../../../server/api/receipt.ts';
import type { EndpointSettings } from '../../../server/api/settings.ts';
import { silentLog } from '../../../server/base/log.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { emptyConfig } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import type { ExchangeEnded } from '../../../server/exchange/events.ts';
import type { BuiltRouter } from '../../../server/app/createRouter.ts';
import type { TestedKeys } from '../../../server/router/testEndpoint.ts';
import { createPricer } from '../../../server/pricing/pricing.ts';
import { InMemoryLedger } from '../ledger/inMemoryLedger.ts';
import { aReceipt, anAttempt, running, tokens } from '../ledger/receipts.ts';
import { createTestRouter } from './createTestRouter.ts';
import type { Dispatch } from '../../../server/upstream/call.ts';

/** A router with an endpoint `relay` that has a configured price for `m`, and others. Its price table never loads. */
function router(t: TestContext, ledger: InMemoryLedger, others: Record<string, EndpointSettings> = {}): { events: BuiltRouter['events']; said: string[]; loads: () => number; configure: () => void } {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const said: string[] = [];
  let loads = 0;
  const log = { ...silentLog, error: (message: string) => { said.push(message); } };
  const pricer = createPricer({ log, load: () => { loads += 1; return new Promise(() => {}); } });
  const { router: made, events } = createTestRouter({ ledger, pricer, log });
  t.after(() => made.shutdown());
  const { config, problems } = resolveConfig({
    endpoints: { relay: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false }, models: { m: { prices: { inputPerMTok: 2, outputPerMTok: 8 } } } }, ...others },
    routes: {},
  }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  return { events, said, loads: () => loads, configure: () => { made.configure(config, new Map(), problems); } };
}

/** A router that keeps its log lines of errors. The test advances its seconds. */
function listened(t: TestContext): BuiltRouter & { said: string[] } {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const said: string[] = [];
  const built = createTestRouter({ log: { ...silentLog, error: (message: string) => { said.push(message); } } });
  t.after(() => built.router.shutdown());
  return { ...built, said };
}

test('running exchanges are priced each second with the configured prices while the price table loads', (t) => {
  const ledger = new InMemoryLedger();
  const { events, loads, configure } = router(t, ledger, { official: { provider: 'openai', probe: { enabled: false } } });
  configure();
  t.mock.timers.tick(1000);
  assert.equal(loads(), 0);
  const attempt = anAttempt({ endpoint: 'relay', model: 'm', outcome: 'interrupted', usage: tokens(1_000, 100), cost: { certainty: 'unknown' } });
  const receipt: Receipt = running(aReceipt('x-1', { attempts: [attempt] }));
  events.started.emit({ exchange: { receipt, tick() {}, progress: () => receipt, interrupt() {}, stop: () => false } });
  t.mock.timers.tick(1000);
  assert.equal(loads(), 1);
  assert.equal(ledger.receipts.get('x-1')?.attempts[0]?.cost.microUsd, 2_800);
});

test('no price table is loaded where it says nothing on any endpoint, and records are priced at once', async (t) => {
  const ledger = new InMemoryLedger();
  const { events, loads, configure } = router(t, ledger);
  configure();
  const attempt = anAttempt({ endpoint: 'relay', model: 'm', outcome: 'interrupted', usage: tokens(1_000, 100), cost: { certainty: 'unknown' } });
  const open: Receipt = running(aReceipt('x-1', { attempts: [attempt] }));
  events.started.emit({ exchange: { receipt: open, tick() {}, progress: () => open, interrupt() {}, stop: () => false } });
  t.mock.timers.tick(1000);
  assert.equal(ledger.receipts.get('x-1')?.attempts[0]?.cost.microUsd, 2_800);
  const price = { model: 'm', endpointName: 'relay', configPrices: { inputPerMTok: 2, outputPerMTok: 8 } };
  const record = anAttempt({ endpoint: 'relay', model: 'm', usage: tokens(1_000, 200), cost: { certainty: 'unknown' } });
  const provider = findProvider('openai-compatible');
  assert.ok(provider !== undefined);
  events.ended.emit({
    receipt: aReceipt('x-2', { attempts: [record] }), route: undefined,
    attempts: [{ record, price: { ...price, provider, upstreamModel: 'm', usage: record.usage, usageEstimated: false, at: record.startedAt } }],
  } as unknown as ExchangeEnded);
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(ledger.receipts.get('x-2')?.cost.microUsd, 3_600);
  assert.equal(loads(), 0);
});

test('a server starts although the past of its ledger cannot be read', (t) => {
  class Unreadable extends InMemoryLedger {
    override recentAttempts(): never { throw new Error('out of range'); }
  }
  const { said, configure } = router(t, new Unreadable());
  configure();
  assert.deepEqual(said, ['What was learnt in the last minutes could not be read from the ledger; health starts without it.']);
});

test('every listener receives changes and notices, also beside one that throws', (t) => {
  const { router: made, said } = listened(t);
  const seen: string[] = [];
  made.onChange(() => { throw new Error('injected'); });
  const first = made.onChange(() => { seen.push('first'); });
  made.onChange(() => { seen.push('second'); });
  made.configure(emptyConfig, new Map(), []);
  first.dispose();
  made.configure(emptyConfig, new Map(), []);
  assert.deepEqual(seen, ['first', 'second', 'second']);
  assert.equal(said[0], 'The update of the status failed; the rest goes on.');
});

test('a shutdown interrupts every running exchange, also when one of them throws', async (t) => {
  const { router: made, events, said } = listened(t);
  const interrupted: string[] = [];
  for (const id of ['x-1', 'x-2', 'x-3']) {
    const receipt = running(aReceipt(id));
    events.started.emit({ exchange: { receipt, tick() {}, progress: () => receipt, interrupt() {
      interrupted.push(id);
      if (id === 'x-1') throw new Error('injected');
    }, stop: () => false } });
  }
  await made.shutdown();
  assert.deepEqual(interrupted, ['x-1', 'x-2', 'x-3']);
  assert.deepEqual(said, ['The record of a running exchange failed; the rest goes on.']);
});

test('a test of an endpoint uses the typed key, or its stored keys, and reveals no secret', async (t) => {
  const { router: made, transport } = listened(t);
  const { config } = resolveConfig({ endpoints: { relay: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false } } }, routes: {} },
    { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  made.configure(config, new Map([['relay', [{ id: '1', label: 'first', secret: 'secret-one' }, { id: '2', label: 'second', secret: 'secret-two' }]]]), []);
  const endpoint = config.endpoints.get('relay');
  assert.ok(endpoint !== undefined);
  let sent = new Set<string>();
  const dispatch: Dispatch = (_place, request, listener) => {
    for (const [name, value] of Object.entries(request.headers)) if (name.toLowerCase() === 'authorization') sent.add(String(value));
    queueMicrotask(() => {
      listener.onHeaders(200, { 'content-type': 'application/json' });
      listener.onData(Buffer.from('{"data":[{"id":"m"}]}'));
      listener.onEnd();
    });
    return { source: 'provider', abort() {}, pause() {}, resume() {} };
  };
  Object.defineProperty(transport, 'dispatch', { value: dispatch });
  const cases: readonly (readonly [TestedKeys, string[]])[] = [
    [{ kind: 'configured' }, ['Bearer secret-one', 'Bearer secret-two']], [{ kind: 'configured', keyId: '2' }, ['Bearer secret-two']],
    [{ kind: 'typed', secret: 'secret-new' }, ['Bearer secret-new']], [{ kind: 'typed', secret: '' }, []],
  ];
  for (const [keys, expected] of cases) {
    sent = new Set();
    const result = await made.testEndpoint(endpoint, keys);
    assert.equal(result.ok, true, result.message);
    assert.ok(!JSON.stringify(result).includes('secret-'));
    assert.deepEqual([...sent], expected);
  }
});
