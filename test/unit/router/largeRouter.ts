import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { EndpointSettings, RouteSettings } from '../../../server/api/settings.ts';
import type { KeyMaterial } from '../../../server/api/messages.ts';
import { silentLog } from '../../../server/base/log.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import type { Config } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import type { BuiltRouter } from '../../../server/app/createRouter.ts';
import { createPricer } from '../../../server/pricing/pricing.ts';
import type { CachedList, ModelCache } from '../../../server/models/modelCache.ts';
import { noon } from '../ledger/receipts.ts';
import { createTestRouter } from './createTestRouter.ts';

/** Counts of models, endpoints and routes. `wide` adds one endpoint that lists all models. */
export interface Size { models: number; endpoints: number; modelsAtEach: number; routes: number; wide: boolean }

const baseUrl = 'https://relay.example.com/v1';

/** The settings of a configuration of that size. */
export function largeSettings({ endpoints, routes, wide, models, modelsAtEach }: Size): { endpoints: Record<string, EndpointSettings>; routes: Record<string, RouteSettings> } {
  const endpoint: EndpointSettings = { provider: 'openai-compatible', baseUrl, probe: { enabled: false } };
  const names = [...(wide ? ['wide'] : []), ...Array.from({ length: endpoints }, (_, index) => `e${index}`)];
  return {
    endpoints: Object.fromEntries(names.map((name) => [name, endpoint])),
    routes: Object.fromEntries(Array.from({ length: routes }, (_, index) => [`r${index}`, {
      targets: [0, 1, 2].map((step) => {
        const at = (index * 3 + step) % endpoints;
        return `e${at}/${modelName(at * modelsAtEach % models)}`;
      }),
    }])),
  };
}

export function modelName(index: number): string {
  return `family-${index}-chat`;
}

/** The model list of each endpoint: the `wide` one lists everything, the others a few in a row, so that models are shared. */
export function largeLists({ models, endpoints, modelsAtEach, wide }: Size): Map<string, CachedList> {
  const list = (first: number, count: number): CachedList => ({
    baseUrl, at: noon, models: Array.from({ length: count }, (_, index) => ({ name: modelName((first + index) % models), facts: { contextWindow: 128_000 } })),
  });
  const lists = new Map(Array.from({ length: endpoints }, (_, index) => [`e${index}`, list(index * modelsAtEach, modelsAtEach)]));
  if (wide) lists.set('wide', list(0, models));
  return lists;
}

export function resolved(size: Size): Config {
  const { config, problems } = resolveConfig(largeSettings(size), { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  assert.deepEqual(problems, []);
  return config;
}

/** A router of that size, with one key at each endpoint. The caller mocks the timers. */
export function largeRouter(t: TestContext, size: Size): BuiltRouter {
  const cache: Pick<ModelCache, 'read' | 'write'> = { read: () => largeLists(size), write: () => {} };
  const built = createTestRouter({ pricer: createPricer({ log: silentLog }), modelCache: cache as ModelCache });
  const { router } = built;
  t.after(() => router.shutdown());
  const config = resolved(size);
  const keys = new Map([...config.endpoints.keys()].map((name): [string, KeyMaterial[]] => [name, [{ id: `key-${name}`, label: 'main', secret: `secret-of-${name}` }]]));
  router.configure(config, keys, []);
  return built;
}
