import type { FailureClass } from '../../../server/api/failure.ts';
import type { StatusSnapshot } from '../../../server/api/status.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { silentLog } from '../../../server/base/log.ts';
import type { BuiltRouter } from '../../../server/app/createRouter.ts';
import { createPricer } from '../../../server/pricing/pricing.ts';
import { InMemoryLedger } from '../ledger/inMemoryLedger.ts';
import type { EndpointSettings, RouteSettings } from '../../../server/api/settings.ts';
import { createTestRouter } from './createTestRouter.ts';

export interface SnapshotRouter extends BuiltRouter {
  now(): number;
  /** Moves the clock. */
  forward(ms: number): void;
  snapshot(): StatusSnapshot;
  /** Records an answered attempt at model `m`. */
  answer(endpoint: string, model?: string): void;
  /** Records a failed attempt. A failure of keys is recorded for each key of the endpoint in turn. */
  refuse(endpoint: string, failureClass: FailureClass, retryAfterMs?: number, model?: string): void;
  shutdown(): Promise<void>;
}

export interface SnapshotRouterOptions {
  endpoints?: Record<string, Partial<EndpointSettings>>;
  routes?: Record<string, RouteSettings>;
  ledger?: InMemoryLedger;
}

/** A router that sends nothing: endpoints `north` and `south` with two keys each and a route over both, and a clock that the test moves. */
export function snapshotRouter(options: SnapshotRouterOptions = {}): SnapshotRouter {
  let now = new Date(2026, 10, 26, 12, 0, 0).getTime();
  const ledger = options.ledger ?? new InMemoryLedger();
  const built = createTestRouter({ ledger, pricer: createPricer({ log: silentLog }), clock: { now: () => now }, interfaces: () => ({}) });
  const { router, keys, healthRegistry } = built;
  const settings = (more: Partial<EndpointSettings> = {}): EndpointSettings =>
    ({ provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false }, models: { m: {} }, ...more });
  const named = options.endpoints ?? { north: {}, south: {} };
  const { config, problems } = resolveConfig({
    endpoints: Object.fromEntries(Object.entries(named).map(([name, more]) => [name, settings(more)])),
    routes: options.routes ?? { default: { targets: Object.keys(named).map(name => `${name}/m`) } },
  }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const ring = new Map(Object.keys(named).map(name => [name, ['1', '2'].map(id => ({ id, label: `key ${id}`, secret: `secret-of-${name}-${id}` }))]));
  router.configure(config, ring, []);
  return {
    ...built,
    now: () => now,
    forward(ms) { now += ms; },
    snapshot: () => router.status({ state: 'off' }),
    answer(endpoint, model = 'm') {
      keys.report(endpoint, '1', 'ok', now, undefined, { model });
      healthRegistry.record({ endpoint, model, at: now, kind: 'traffic', firstTokenMs: 321.4, totalMs: 987.6 });
    },
    refuse(endpoint, failureClass, retryAfterMs, model = 'm') {
      const ofKey = failureClass === 'auth' || failureClass === 'rate-limit' || failureClass === 'quota';
      for (const id of ofKey ? ['1', '2'] : ['1']) {
        keys.report(endpoint, id, failureClass, now, retryAfterMs, { model });
        const keyScoped = ofKey && keys.pick(endpoint, new Set(), now, undefined, model) !== undefined;
        healthRegistry.record({ endpoint, model, at: now, kind: 'traffic', failureClass, retryAfterMs, keyScoped, message: `${endpoint} failed` });
      }
    },
    shutdown: () => router.shutdown(),
  };
}
