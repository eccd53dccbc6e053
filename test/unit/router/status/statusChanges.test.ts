import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { FailureClass } from '../../../../server/api/failure.ts';
import type { StatusSnapshot } from '../../../../server/api/status.ts';
import { WaybillError } from '../../../../server/base/failure.ts';
import { silentLog } from '../../../../server/base/log.ts';
import type { Pricer } from '../../../../server/pricing/pricing.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import { StatusChanges } from '../../../../server/router/status/statusChanges.ts';
import { StatusSender } from '../../../../server/inbound/lsp/statusSender.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { aReceipt, anAttempt, exact } from '../../ledger/receipts.ts';
import { createTestRouter } from '../createTestRouter.ts';

/** Half an hour before midnight. */
const start = new Date(2026, 10, 26, 23, 30, 0).getTime();
const pricer: Pricer = { isReady: true, ready: () => Promise.resolve(), contextWindow: () => undefined, priceAttempt: () => exact(5) };

describe('changes of the status', () => {
  function tracked(): { changes: StatusChanges; calls: () => number; signs: { text: string; busy: boolean } } {
    const signs = { text: '', busy: false };
    const changes = new StatusChanges({ log: silentLog, isBusy: () => signs.busy, signs: () => signs.text });
    let calls = 0;
    changes.subscribe(() => { calls += 1; });
    changes.tick(0);
    calls = 0;
    return { changes, calls: () => calls, signs };
  }

  it('are not reported while nothing happens', () => {
    const { changes, calls } = tracked();
    for (let second = 1; second < 1000; second += 1) changes.tick(second * 1000);
    assert.equal(calls(), 0);
  });

  it('are reported once for all touches, at the next tick', () => {
    const { changes, calls } = tracked();
    changes.touched();
    changes.touched();
    assert.equal(calls(), 0);
    changes.tick(1000);
    changes.tick(2000);
    assert.equal(calls(), 1);
  });

  it('are reported at each tick while an exchange runs, and when a sign differs', () => {
    const { changes, calls, signs } = tracked();
    signs.busy = true;
    changes.tick(1000);
    changes.tick(2000);
    signs.busy = false;
    changes.tick(3000);
    assert.equal(calls(), 2);
    signs.text = 'other';
    changes.tick(4000);
    changes.tick(5000);
    assert.equal(calls(), 3);
  });

  it('are reported once at the earliest moment that a reader named', () => {
    const { changes, calls } = tracked();
    changes.read(2500);
    changes.read(9000);
    changes.tick(2000);
    assert.equal(calls(), 0);
    changes.tick(3000);
    changes.tick(4000);
    assert.equal(calls(), 1);
    changes.tick(9000);
    assert.equal(calls(), 1, 'the listener reads the state again and names the next moment');
  });

  it('are reported when the clock was set back', () => {
    const { changes, calls } = tracked();
    changes.tick(100_000);
    changes.tick(50_000);
    assert.equal(calls(), 1);
  });
});

type Made = ReturnType<typeof made>;

/** A router of two endpoints, of which one has its own limits. The test advances its seconds. */
function made(t: TestContext) {
  const clock = { at: start };
  const ledger = new InMemoryLedger();
  const built = createTestRouter({ ledger, pricer, clock: { now: () => clock.at }, interfaces: () => ({}) });
  t.after(() => built.router.shutdown());
  const common = { provider: 'openai-compatible', probe: { enabled: false }, models: { m: {}, n: {} } };
  const { config } = resolveConfig({
    endpoints: {
      north: { ...common, baseUrl: 'https://north.example.com/v1' },
      south: { ...common, baseUrl: 'http://127.0.0.1:1/v1', limits: { requestsPerMinute: 2, perKey: { tokensPerMinute: 1000 } } },
    },
    routes: { default: { targets: ['north/m', 'south/m'] } },
  }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  const key = (id: string) => ({ id, label: `key ${id}`, secret: `secret-of-key-${id}` });
  built.router.configure(config, new Map([['north', [key('1'), key('2')]], ['south', [key('3')]]]), []);
  let exchanges = 0;
  return {
    ...built, clock, ledger, config,
    snapshot: (): StatusSnapshot => built.router.status({ state: 'off' }),
    /** Starts and ends an exchange of one attempt. */
    exchange(endpointName: 'north' | 'south', model: string, failure?: { failureClass: FailureClass; retryAfterMs?: number | undefined }): void {
      const endpoint = config.endpoints.get(endpointName);
      assert.ok(endpoint !== undefined);
      exchanges += 1;
      const keyId = endpointName === 'north' ? '1' : '3';
      const admission = built.healthRegistry.enter(endpointName, model, clock.at);
      const entry = built.limiter.enter({ endpoint: endpointName, keyId, model, promptTokens: 300, writableTokens: 0, now: clock.at });
      if (entry.admitted) built.limiter.release(entry.ticket, 400);
      const record = anAttempt({ endpoint: endpointName, model, keyId, startedAt: clock.at, outcome: failure === undefined ? 'ok' : 'failed', failureClass: failure?.failureClass, firstTokenMs: 300, totalMs: 900 });
      const receipt = aReceipt(`x-${exchanges}`, { startedAt: clock.at, attempts: [record] });
      const run = { receipt, tick() {}, progress: () => receipt, interrupt() {}, stop: () => false as const };
      built.events.started.emit({ exchange: run });
      const error = failure === undefined ? undefined : new WaybillError('provider-server', failure.failureClass, 'It failed.', { retryAfterMs: failure.retryAfterMs });
      built.events.attemptEnded.emit({
        attempt: {
          exchangeId: receipt.id, target: { target: `${endpointName}/${model}`, endpoint: endpointName, model, upstreamModel: model }, endpoint, keyId, number: 1, role: undefined, stream: true,
          trial: admission.admitted && admission.trial, startedAt: clock.at,
        },
        record, verdict: failure === undefined ? 'ok' : 'failed', error, status: undefined, timedOut: undefined, tokensPerSecond: undefined, at: clock.at,
      });
      built.events.ended.emit({ exchange: run, receipt, attempts: [{ record, price: {} as never }], route: undefined });
    },
  };
}

const shown = (snapshot: StatusSnapshot): string => JSON.stringify({ ...snapshot, at: 0 });
const pricedNow = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

describe('a router with nothing to do', () => {
  it('reports no change and makes no snapshot in an idle second', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    const router = made(t);
    let snapshots = 0;
    let changes = 0;
    const sender = new StatusSender(() => { snapshots += 1; return router.snapshot(); }, () => undefined, silentLog);
    t.after(() => { sender.stop(); });
    router.router.onChange(() => { changes += 1; sender.changed(); });
    const second = async (): Promise<void> => {
      router.clock.at += 1000;
      t.mock.timers.tick(1000);
      await pricedNow();
    };
    router.exchange('north', 'm');
    router.exchange('north', 'm', { failureClass: 'network' });
    // In the next seconds the sums of the day are read, and the editor receives the resulting changes.
    for (let count = 0; count < 6; count += 1) await second();
    assert.ok(snapshots > 0, 'the editor received the changes');
    changes = 0;
    snapshots = 0;
    for (let count = 0; count < 60; count += 1) await second();
    assert.deepEqual([changes, snapshots], [0, 0]);
  });
});

/** Two routers run through the same seconds. One is read each second, the other only when it reports a change. */
async function live(t: TestContext, seconds: number, happens: (router: Made, second: number) => void): Promise<{ reads: number }> {
  const [always, reported] = [made(t), made(t)];
  let isChanged = true;
  let reads = 0;
  reported.router.onChange(() => { isChanged = true; });
  let last = '';
  for (let second = 1; second <= seconds; second += 1) {
    for (const router of [always, reported]) {
      router.clock.at += 1000;
      happens(router, second);
    }
    t.mock.timers.tick(1000);
    await pricedNow();
    const now = shown(always.snapshot());
    if (isChanged) {
      isChanged = false;
      reads += 1;
      last = shown(reported.snapshot());
    }
    assert.equal(last, now, `after ${second} seconds`);
  }
  return { reads };
}

describe('an editor shows the state that a reader of each second would see', () => {
  const hour = 3600;
  const cases: readonly [what: string, seconds: number, mostReads: number, happens: (router: Made, second: number) => void][] = [
    ['after answers that grow too old to count', 800, 40, (router, second) => { if (second < 10) router.exchange('north', 'm'); }],
    ['after failures that are no longer recent', 900, 60, (router, second) => { if (second < 8) router.exchange('north', second % 2 === 0 ? 'm' : 'n', { failureClass: 'server' }); }],
    ['while an open breaker waits, is tried and opens again', 900, 120, (router, second) => { if (second < 8 || second % 200 === 0) router.exchange('south', 'm', { failureClass: 'timeout' }); }],
    ['while a wait that the provider named runs and ends', 700, 30, (router, second) => { if (second === 3) router.exchange('north', 'm', { failureClass: 'rate-limit', retryAfterMs: 90_500 }); }],
    ['while an overload keeps one model away', 700, 30, (router, second) => { if (second === 3) router.exchange('north', 'm', { failureClass: 'overloaded', retryAfterMs: 33_000 }); }],
    ['while a key has no money', 2 * hour, 40, (router, second) => { if (second === 3) router.exchange('north', 'm', { failureClass: 'quota' }); }],
    ['while a key is rejected', hour, 40, (router, second) => { if (second === 3) router.exchange('north', 'm', { failureClass: 'auth' }); }],
    ['while limits of the user keep requests away', 700, 200, (router, second) => { if (second < 4) router.exchange('south', 'm'); }],
    ['over midnight', hour, 40, (router, second) => { if (second === 5) router.exchange('north', 'm'); }],
    ['after peers report outcomes', 800, 40, ({ ledger, clock }, second) => {
      if (second === 5) ledger.addForeign([{ attempt: anAttempt({ endpoint: 'north', model: 'm', outcome: 'failed', failureClass: 'network', message: 'refused', startedAt: clock.at }), endedAt: clock.at }], []);
      if (second === 50) ledger.addForeign([], [{ endpoint: 'north', at: clock.at, ok: true, kind: 'probe' }]);
    }],
    ["while a peer's exchange runs and its cost grows", 400, 60, ({ ledger, clock }, second) => {
      if (second < 20) ledger.addForeign([{ attempt: anAttempt({ endpoint: 'north', model: 'm', startedAt: start, cost: exact(second * 1000) }), exchangeId: 'peer-1', runs: second < 19, endedAt: clock.at }]);
    }],
    ['after the machine slept', 400, 40, (router, second) => {
      if (second < 8) router.exchange('north', 'm', { failureClass: 'network' });
      if (second === 100) router.clock.at += 60_000;
    }],
  ];
  for (const [what, seconds, mostReads, happens] of cases) {
    it(what, async (t) => {
      t.mock.timers.enable({ apis: ['setInterval'] });
      const { reads } = await live(t, seconds, happens);
      assert.ok(reads <= mostReads, `${reads} reads in ${seconds} seconds`);
    });
  }
});
