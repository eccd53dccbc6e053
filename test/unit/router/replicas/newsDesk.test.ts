import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../../../../server/base/log.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import { StateAwayError, type StateReply, type StateScript, type StateStore } from '../../../../server/state/stateStore.ts';
import type { HealthEvent } from '../../../../server/ledger/ports.ts';
import type { NewsItem } from '../../../../server/router/replicas/news/newsItems.ts';
import { NewsDesk } from '../../../../server/router/replicas/news/newsDesk.ts';
import { StoreClock } from '../../../../server/router/replicas/storeClock.ts';
import type { NetworkTrouble } from '../../../../server/health/network/networkState.ts';
import { supportedProtocols } from '../../../../server/protocols/registry.ts';
import { noon } from '../../ledger/receipts.ts';

/** A store that takes down what it is told. */
class HearingStore implements StateStore {
  readonly isConfigured = true;
  readonly timeoutMs = 100;
  readonly prefix = '{test}:';
  readonly replica = 'here';
  replicas = 2;
  isUp = true;
  readonly told: NewsItem[] = [];
  readonly changes = (): { dispose(): void } => ({ dispose: () => undefined });

  run({ name }: StateScript, _keys: readonly string[], args: readonly (string | number)[]): Promise<StateReply> {
    if (!this.isUp) return Promise.reject(new StateAwayError('away', false));
    switch (name) {
      case 'publish news': {
        this.told.push(...JSON.parse(String(args[2])) as NewsItem[]);
        return Promise.resolve([String(noon / 1000), '0']);
      }
      case 'read standing news': return Promise.resolve([[String(noon / 1000), '0'], []]);
      case 'agree on a salt': return Promise.resolve(args[0] ?? null);
      default: return Promise.resolve([String(noon / 1000), '0']);
    }
  }

  command(): Promise<StateReply> { return Promise.resolve(null); }
  publish(): Promise<void> { return Promise.resolve(); }
  subscribe(): { dispose(): void } { return { dispose: () => undefined }; }
}

function scene(context: TestContext): { store: HearingStore; desk: NewsDesk; heard(): Promise<string[]>; trouble: { now: NetworkTrouble | undefined } } {
  const store = new HearingStore();
  const trouble: { now: NetworkTrouble | undefined } = { now: undefined };
  const endpoint = { provider: 'openai-compatible', baseUrl: 'https://north.example/v1', models: { m: {} } };
  const config = resolveConfig({ endpoints: { north: endpoint, south: { ...endpoint, baseUrl: 'https://south.example/v1' } }, routes: {} }, { catalog: { providers, findProvider }, supportedProtocols, source: 'settings' }).config;
  const desk = new NewsDesk({
    store, config: () => config, events: { subscribe: () => ({ dispose: () => undefined }) }, health: { networkTrouble: () => trouble.now }, keys: { fingerprintOf: () => '', fingerprintsWith: () => [] },
    ledger: { isOpen: false, notes: () => Promise.resolve([]) }, peers: { take: () => undefined }, pauses: { decisions: [], learn: () => undefined }, routeStates: [], clock: { now: () => noon }, log: silentLog,
  }, new StoreClock());
  context.after(() => desk.close());
  return {
    store, desk, trouble,
    async heard() {
      for (let looks = 0; looks < 500 && store.told.length === 0; looks += 1) await sleep(10);
      return store.told.map(item => `${item.endpoint} ${item.kind === 'probe' ? item.failureClass ?? 'ok' : ''}`);
    },
  };
}

const failed = (endpoint: string, failureClass: string): HealthEvent => ({ kind: 'probe', endpoint, at: noon, ok: false, failureClass, message: 'a text of a provider' });
const answered = (endpoint: string): HealthEvent => ({ kind: 'probe', endpoint, at: noon, ok: true, latencyMs: 12 });

describe('what a replica tells others', () => {
  it('is told less often where many replicas hear it, and within half a second anyway', async context => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const { store, desk } = scene(context);
    for (const [replicas, afterMs] of [[2, 100], [20, 100], [60, 300], [100, 500], [400, 500]] as const) {
      store.replicas = replicas;
      store.told.length = 0;
      desk.probe(answered('north'));
      context.mock.timers.tick(afterMs - 1);
      desk.probe(answered('south'));
      assert.equal(store.told.length, 0, `${replicas} replicas`);
      context.mock.timers.tick(1);
      assert.equal(store.told.length, 2, `${replicas} replicas`);
      // What was told is over before the next is found out.
      await new Promise(resolve => { setImmediate(resolve); });
    }
  });

  it('a failure to connect is told only where another endpoint has just answered', async context => {
    const { desk, heard } = scene(context);
    desk.probe(failed('north', 'network'));
    desk.probe(failed('north', 'timeout'));
    desk.probe(failed('north', 'server'));
    desk.probe(answered('south'));
    desk.probe(failed('north', 'network'));
    assert.deepEqual(await heard(), ['north server', 'south ok', 'north network']);
  });

  it('no failure to connect is told while this machine is offline', async context => {
    const { desk, heard, trouble } = scene(context);
    trouble.now = { kind: 'offline', since: noon };
    desk.probe(answered('south'));
    desk.probe(failed('north', 'network'));
    assert.deepEqual(await heard(), ['south ok']);
  });

  it('no text of a provider and nothing of an endpoint that is gone is told', async context => {
    const { desk, heard, store } = scene(context);
    desk.probe(failed('gone', 'server'));
    desk.probe(failed('north', 'server'));
    assert.deepEqual(await heard(), ['north server']);
    assert.ok(!JSON.stringify(store.told).includes('a text of a provider'));
  });

  it('waits while the store is away, and is told when it is back', async context => {
    const { desk, heard, store } = scene(context);
    store.isUp = false;
    desk.probe(answered('south'));
    store.isUp = true;
    desk.probe(answered('north'));
    assert.deepEqual(await heard(), ['south ok', 'north ok']);
  });
});
