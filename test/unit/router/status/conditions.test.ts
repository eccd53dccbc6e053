import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { because, clockText, conditionText, isUp } from '../../../../server/api/condition.ts';
import { said } from '../../../../server/api/localization/said.ts';
import type { EndpointStatus, StatusSnapshot } from '../../../../server/api/status.ts';
import { statusBarContent } from '../../../../client/status/statusText.ts';
import { providerNodes } from '../../../../client/views/providers/providersTreeModel.ts';
import { InMemoryLedger } from '../../ledger/inMemoryLedger.ts';
import { aReceipt, anAttempt, noon } from '../../ledger/receipts.ts';
import { snapshotRouter, type SnapshotRouter } from '../snapshotRouter.ts';

/** Waits until a new router has read the last minutes from the ledger. */
const pastIsRead = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

const north = (snapshot: StatusSnapshot): EndpointStatus => {
  const found = snapshot.endpoints.find(endpoint => endpoint.name === 'north');
  if (found === undefined) throw new Error('there is no north');
  return found;
};

/** The texts of the three places for `north`: the count in the status bar, the description in the tree, the picker's row and its hover. */
function places(testRouter: SnapshotRouter): { bar: string; tree: string; spoken: string; picker: string; hover: string | undefined; icon: string } {
  const status = testRouter.snapshot();
  const bar = statusBarContent({ server: 'running', status, configuredEndpoints: 2, choice: 'health', now: testRouter.now() });
  const tree = providerNodes(status, testRouter.now())[0];
  const route = status.offered[0];
  return { bar: bar.text, tree: tree?.description ?? '', spoken: tree?.spoken ?? '', picker: route?.detail ?? '', hover: route?.warning, icon: route?.state ?? '' };
}

describe('what the status bar, the tree and the picker say of an endpoint', () => {
  it('is the same when all its keys are rate-limited', async () => {
    const testRouter = snapshotRouter();
    await pastIsRead();
    testRouter.answer('north');
    testRouter.answer('south');
    testRouter.refuse('north', 'rate-limit', 60_000);
    const back = clockText(testRouter.now() + 60_000, testRouter.now(), 'up');
    const said = places(testRouter);
    assert.equal(said.bar, '$(pulse) 1/2');
    assert.equal(said.tree, `rate-limited, back at ${back}, using south`);
    assert.equal(said.spoken, `north, OpenAI-compatible, rate-limited, back at ${back}, using south`);
    assert.equal(said.picker, '1/2 up · via south');
    assert.equal(said.hover, `north: rate-limited, back at ${back}`);
    assert.equal(said.icon, 'degraded');
    testRouter.forward(61_000);
    assert.equal(places(testRouter).bar, '$(pulse) 2/2');
  });

  it('is the same when a key cools down for one of several models of routes', () => {
    const testRouter = snapshotRouter({ endpoints: { north: { models: { m: {}, other: {} } }, south: {} }, routes: { default: { targets: ['north/m', 'south/m'] }, second: { targets: ['north/other'] } } });
    testRouter.answer('north', 'other');
    testRouter.refuse('north', 'rate-limit', 60_000);
    assert.deepEqual(north(testRouter.snapshot()).condition, { kind: 'degraded', ...because(said('{0}: {1}', 'm', said('rate-limited'))) });
    assert.equal(places(testRouter).bar, '$(pulse) 2/2');
    assert.equal(testRouter.snapshot().offered.find(one => one.id === 'route:second')?.detail, 'via north · degraded');
  });

  it('is down with its reason after a refused connection, and the other endpoint is picked', () => {
    const testRouter = snapshotRouter();
    testRouter.refuse('north', 'network');
    const said = places(testRouter);
    assert.equal(said.bar, '$(pulse) 1/2');
    assert.match(said.tree, /^down \(network error\)/);
    assert.equal(said.picker, '1/2 up · via south');
    assert.match(said.hover ?? '', /^north: down \(network error\)/);
  });

  it('names keys that are rejected, out of money or missing', () => {
    const testRouter = snapshotRouter();
    testRouter.refuse('north', 'auth');
    assert.match(conditionText(north(testRouter.snapshot()).condition, testRouter.now()), /^key rejected \(all 2 keys\), tried again at \d\d:\d\d$/);
    const poor = snapshotRouter();
    poor.refuse('north', 'quota');
    assert.match(conditionText(north(poor.snapshot()).condition, poor.now()), /^out of money, tried again at \d\d:\d\d$/);
    assert.equal(places(poor).bar, '$(pulse) 1/2');
  });

  it('counts an endpoint as up exactly when the picker offers it', () => {
    const testRouter = snapshotRouter();
    const steps: (() => void)[] = [
      () => { testRouter.refuse('north', 'rate-limit'); }, () => { testRouter.forward(2000); testRouter.answer('north'); }, () => { testRouter.refuse('north', 'overloaded', 5000); },
      () => { testRouter.forward(6000); for (let n = 0; n < 6; n += 1) testRouter.refuse('north', 'server'); }, () => { testRouter.forward(120_000); },
      () => { testRouter.answer('north'); }, () => { testRouter.refuse('south', 'auth'); }, () => { testRouter.refuse('north', 'timeout'); },
    ];
    for (const [index, step] of steps.entries()) {
      step();
      const status = testRouter.snapshot();
      const up = status.endpoints.filter(endpoint => isUp(endpoint.condition)).length;
      const detail = status.offered[0]?.detail ?? '';
      const picked = detail === 'none up' ? 0 : Number(/^(\d)\/2 up/.exec(detail)?.[1] ?? 2);
      assert.equal(picked, up, `step ${String(index)}: ${detail}, ${status.endpoints.map(endpoint => endpoint.condition.kind).join(' ')}`);
    }
  });

  it('is the same after a restart, as far as the ledger holds it', async () => {
    const ledger = new InMemoryLedger();
    const before = snapshotRouter({ ledger });
    const at = before.now() - 120_000;
    const attempt = (number: number, outcome: 'ok' | 'failed') => anAttempt({
      endpoint: 'north', model: 'm', target: 'north/m', keyId: '1', keyLast4: 'th-1', startedAt: at + number * 1000, outcome,
      ...(outcome === 'failed' ? { failureClass: 'server' as const, status: 500, message: 'broken' } : {}),
    });
    for (let number = 0; number < 8; number += 1) {
      ledger.close(aReceipt(`x-${String(number)}`, { startedAt: at + number * 1000, outcome: number % 2 === 0 ? 'ok' : 'failed', attempts: [attempt(number, number % 2 === 0 ? 'ok' : 'failed')] }));
    }
    ledger.publishProbe({ endpoint: 'north', at: at + 60_000, ok: true, kind: 'probe' });
    const after = snapshotRouter({ ledger });
    await pastIsRead();
    assert.equal(north(after.snapshot()).condition.kind, 'degraded');
  });

  it('keeps a recorded failure when a later probe of a peer succeeds', async () => {
    const ledger = new InMemoryLedger();
    const at = snapshotRouter().now() - 60_000;
    ledger.close(aReceipt('x-1', { startedAt: at, outcome: 'failed', attempts: [anAttempt({
      endpoint: 'north', model: 'm', target: 'north/m', startedAt: at, outcome: 'failed', failureClass: 'server', status: 500, message: 'broken',
    })] }));
    ledger.addForeign([], [{ endpoint: 'north', at: at + 30_000, ok: true, kind: 'probe' }]);
    const after = snapshotRouter({ ledger });
    await pastIsRead();
    assert.deepEqual(north(after.snapshot()).condition, { kind: 'degraded', ...because(said('{0} {1}', said('server error'), 500)) });
  });

  it('shows after a restart which keys have worked, and does not count a new secret as one of them', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const ledger = new InMemoryLedger();
    const first = snapshotRouter({ ledger });
    const last4 = first.keys.status('north', 0).map(key => key.last4);
    ledger.close(aReceipt('x-1', { startedAt: noon, attempts: [
      anAttempt({ endpoint: 'north', keyId: '1', keyLast4: last4[0] ?? '' }), anAttempt({ number: 2, endpoint: 'north', keyId: '2', keyLast4: 'gone' }),
    ] }));
    const after = snapshotRouter({ ledger });
    await pastIsRead();
    t.mock.timers.tick(1000);
    await pastIsRead();
    assert.deepEqual(north(after.snapshot()).keys.map(key => key.state), ['ok', 'unused']);
  });

  it('omits percentiles of too few answers, and rounds the others', () => {
    const testRouter = snapshotRouter();
    for (let n = 0; n < 3; n += 1) testRouter.answer('north');
    assert.deepEqual(north(testRouter.snapshot()).firstToken, { p50: 320, p95: undefined, p99: undefined });
    for (let n = 0; n < 30; n += 1) testRouter.answer('north');
    assert.deepEqual(north(testRouter.snapshot()).firstToken, { p50: 320, p95: 320, p99: undefined });
    for (let n = 0; n < 100; n += 1) testRouter.answer('north');
    assert.equal(north(testRouter.snapshot()).firstToken?.p99, 320);
  });
});
