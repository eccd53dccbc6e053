import type { Requirements } from '../../../../server/api/routes/requirements.ts';
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Receipt } from '../../../../server/api/receipt.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import type { ExchangeEnded } from '../../../../server/exchange/events.ts';
import { conversationBody, type ResponseSink, type ExchangeFailure } from '../../../../server/exchange/request.ts';
import type { BuiltRouter, CreateRouterOptions } from '../../../../server/app/createRouter.ts';
import type { RunningExchange } from '../../../../server/exchange/runningExchange.ts';
import type { Pricer, PriceRequest } from '../../../../server/pricing/pricing.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { aReceipt, anAttempt, exact, noon, running, tokens } from '../../ledger/receipts.ts';
import { createTestRouter } from '../createTestRouter.ts';

function fail(): never { throw new Error('injected'); }

const soundPricer: Pricer = { isReady: true, ready: () => Promise.resolve(), contextWindow: () => undefined, priceAttempt: () => exact(5) };

interface Made extends BuiltRouter { ledger: InMemoryLedger; said: string[]; tick(): void }

/** A configured router whose timer the test ticks. */
function router(t: TestContext, options: Partial<CreateRouterOptions> & { ledger?: InMemoryLedger } = {}): Made {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const said: string[] = [];
  const log = { ...silentLog, error: (message: string) => { said.push(message); } };
  const ledger = options.ledger ?? new InMemoryLedger();
  const built = createTestRouter({ pricer: soundPricer, log, ...options, ledger });
  const made = built.router;
  const { config } = resolveConfig({
    endpoints: { relay: { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false } } }, routes: {},
  }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  made.configure(config, new Map(), []);
  t.after(() => made.shutdown());
  return { ...built, ledger, said, tick: () => { t.mock.timers.tick(1_000); } };
}

function run(receipt: Receipt, progress: () => Receipt = () => receipt): RunningExchange {
  return { receipt, tick() {}, progress, interrupt() {}, stop: () => false };
}

/** An ended exchange, with the pricing request of each attempt. */
function settled(receipt: Receipt, prices: readonly PriceRequest[]): ExchangeEnded {
  return { exchange: run(receipt), receipt, attempts: prices.map((price, index) => ({ record: receipt.attempts[index] ?? anAttempt(), price })), route: undefined };
}

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(() => { setImmediate(resolve); }); });

describe('the tick of the router', () => {
  it('records the other exchanges when one cannot report its progress', (t) => {
    const { events, ledger, said, tick } = router(t);
    const bad = running(aReceipt('bad'));
    const good = running(aReceipt('good'));
    events.started.emit({ exchange: run(bad, fail) });
    events.started.emit({ exchange: run(good, () => ({ ...good, totalMs: 77 })) });
    tick();
    assert.equal(ledger.receipts.get('good')?.totalMs, 77);
    assert.deepEqual(said, ['The record of a running exchange failed; the rest goes on.']);
  });

  const silenced: readonly [string, (made: Made, t: TestContext) => void][] = [
    ['the network interfaces', () => undefined],
    ['peers', ({ ledger }, t) => { t.mock.method(ledger, 'poll', fail); }],
    ['notes about keys', ({ keys, ledger }, t) => {
      t.mock.method(keys, 'applyRemote', fail);
      ledger.addForeignNotes({ endpoint: 'relay', keyFingerprint: 'k', kind: 'state', state: 'rejected', at: noon });
    }],
    ['the health registry', ({ healthRegistry }, t) => { t.mock.method(healthRegistry, 'networkTrouble', fail); t.mock.method(healthRegistry, 'isOffline', fail); }],
    ['the ledger', ({ ledger }, t) => { t.mock.method(ledger, 'progress', fail); }],
    ['the end of drills', ({ drills }, t) => { t.mock.method(drills, 'tick', fail); }],
    ['the listener of the state', ({ router: made }) => { made.onChange(fail); }],
  ];
  for (const [what, inject] of silenced) {
    it(`runs all its parts each second when ${what} throws, and logs that at growing intervals`, (t) => {
      const made = router(t, what === 'the network interfaces' ? { interfaces: fail } : {});
      let ticks = 0;
      made.events.started.emit({ exchange: { ...run(running(aReceipt('x'))), tick() { ticks += 1; } } });
      const drills = t.mock.method(made.drills, 'tick');
      inject(made, t);
      for (let count = 0; count < 32; count += 1) assert.doesNotThrow(made.tick);
      assert.equal(ticks, 32);
      if (what !== 'the end of drills') assert.equal(drills.mock.callCount(), 32);
      assert.ok(made.said.length <= 18, made.said.join('\n'));
    });
  }

  it('takes over the records of peers except for the one that throws', async (t) => {
    const { healthRegistry, ledger, tick } = router(t);
    await turn();
    const recorded: (string | undefined)[] = [];
    t.mock.method(healthRegistry, 'record', ({ message }: { message?: string }) => {
      if (message === 'poison') fail();
      recorded.push(message);
    });
    const foreign = (message: string) => ({ attempt: anAttempt({ endpoint: 'relay', outcome: 'failed', failureClass: 'server', message }), endedAt: noon });
    ledger.addForeign([foreign('one'), foreign('poison'), foreign('two')], [{ endpoint: 'relay', at: noon, ok: false, kind: 'probe', message: 'three' }]);
    assert.doesNotThrow(tick);
    assert.deepEqual(recorded, ['one', 'two', 'three']);
  });
});

describe('the recording of exchanges', () => {
  const price = { usage: {}, usageEstimated: false } as never;

  it('writes a record that cannot be priced with unknown cost, and later records with their own cost', async (t) => {
    const pricer = { ...soundPricer, priceAttempt: (request: { model: string }) => (request.model === 'poison' ? fail() : exact(5)) } as Pricer;
    const { router: made, events, ledger } = router(t, { pricer });
    const settle = (id: string, model: string): void => {
      const receipt = aReceipt(id, { attempts: [anAttempt({ model, usage: tokens(1, 1), cost: { certainty: 'unknown' } })] });
      events.ended.emit(settled(receipt, [{ ...price as object, model } as never]));
    };
    settle('x-1', 'poison');
    settle('x-2', 'm');
    await turn();
    assert.deepEqual(ledger.receipts.get('x-1')?.cost, { certainty: 'unknown' });
    assert.equal(ledger.receipts.get('x-2')?.cost.microUsd, 5);
    assert.ok(await made.spend({ from: 0, to: noon * 2 }));
  });

  it('goes on with the next record when the ledger refuses one', async (t) => {
    const ledger = new InMemoryLedger();
    const close = ledger.close.bind(ledger);
    ledger.close = (receipt) => { if (receipt.id === 'x-1') fail(); close(receipt); };
    const { events, said } = router(t, { ledger });
    for (const id of ['x-1', 'x-2']) {
      const receipt = aReceipt(id);
      events.ended.emit(settled(receipt, []));
    }
    await turn();
    const third = aReceipt('x-3');
    events.ended.emit(settled(third, []));
    await turn();
    assert.deepEqual([...ledger.receipts.keys()], ['x-2', 'x-3']);
    assert.deepEqual(said, ['The record of an exchange failed; the rest goes on.']);
  });

  it('writes records without prices when the price table fails to load', async (t) => {
    const { router: made, events, ledger } = router(t, { pricer: { ...soundPricer, isReady: false, ready: () => Promise.reject(new Error('injected')) } });
    const receipt = aReceipt('x-1');
    events.ended.emit(settled(receipt, []));
    await turn();
    assert.equal(ledger.receipts.get('x-1')?.id, 'x-1');
    await assert.doesNotReject(made.recent(5));
    await assert.doesNotReject(made.shutdown());
  });
});

describe('an exchange', () => {
  const requirements: Requirements = { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 1, maxOutputTokens: undefined };
  /** Sends a request and resolves to the failure that its caller receives. `received` may throw, as a failing connection does. */
  function ask(made: BuiltRouter['router'], received: () => void = () => undefined): Promise<ExchangeFailure> {
    return new Promise((resolve) => {
      const caller: ResponseSink = {
        kind: 'bytes', begin() {}, bytes: () => true, events: () => true, buffered() {}, end() {}, keepAlive() {},
        fail(failure) {
          resolve(failure);
          received();
        },
      };
      made.create({
        id: made.newId(), inbound: 'http', protocol: 'openai-chat', requestedModel: 'relay/m', stream: false, caller: { tool: 't' }, requirements, patienceMs: 0,
        body: conversationBody({ system: [], messages: [], tools: [] }),
      }, caller).start();
    });
  }

  it('is answered when its plan cannot be made', async (t) => {
    const { router: made, services, ledger } = router(t);
    t.mock.method(services, 'view', fail);
    const { error, status } = await ask(made);
    assert.deepEqual([error.code, status], ['internal', 500]);
    await turn();
    assert.equal([...ledger.receipts.values()][0]?.outcome, 'failed');
  });

  it('is answered when something throws after the failure of a provider, in a later turn of the event loop', async (t) => {
    const { router: made, services } = router(t);
    let looks = 0;
    const { view } = services;
    t.mock.method(services, 'view', (estimatedTokens: number) => {
      looks += 1;
      return looks > 1 ? fail() : view(estimatedTokens);
    });
    assert.equal((await ask(made)).error.code, 'internal');
  });

  it('ends and is recorded when its caller throws on the failure', async (t) => {
    const { router: made, services, ledger, said } = router(t);
    t.mock.method(services, 'view', fail);
    await ask(made, fail);
    await turn();
    assert.equal([...ledger.receipts.values()][0]?.outcome, 'failed');
    assert.equal(said.length, 2);
  });
});

describe('a failed read of the spend of second requests', () => {
  it('leaves an exchange without a second request, because their cost is unknown', async (t) => {
    const ledger = new InMemoryLedger();
    t.mock.method(ledger, 'spendStart', fail);
    const { services } = router(t, { ledger });
    await turn();
    assert.equal(services.hedgeSpentToday('auto'), Infinity);
  });
});
