import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { silentLog } from '../../../../../server/base/log.ts';
import { findProvider, providers } from '../../../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../../../server/config/resolve.ts';
import { TokenCheck } from '../../../../../server/inbound/http/auth/access.ts';
import { HttpServer } from '../../../../../server/inbound/http/httpServer.ts';
import { InMemoryLedger } from '../../../ledger/inMemoryLedger.ts';
import { createTestRouter } from '../../../router/createTestRouter.ts';

/** Names of an object's methods that were called; each is still carried out. */
function watchCalls(object: object): string[] {
  const called: string[] = [];
  const names = new Set<string>();
  for (let level: object | null = object; level !== null && level !== Object.prototype; level = Object.getPrototypeOf(level) as object | null) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) if (typeof value === 'function' && name !== 'constructor') names.add(name);
  }
  for (const name of names) {
    const method = (object as Record<string, (...args: unknown[]) => unknown>)[name];
    Object.defineProperty(object, name, {
      configurable: true, writable: true,
      value: (...args: unknown[]): unknown => {
        called.push(name);
        return method?.apply(object, args);
      },
    });
  }
  return called;
}

test('lists of models ask nothing of health and read no ledger', async () => {
  const ledger = new InMemoryLedger();
  const { router, healthRegistry, limiter } = createTestRouter({ ledger });
  const common = { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false } };
  const { config, problems } = resolveConfig({
    endpoints: { a: { ...common, models: { m: {}, n: {} } }, b: { ...common, baseUrl: 'http://127.0.0.1:2/v1', models: { m: {} } } }, routes: { best: { targets: ['b/m', 'a/n'] } },
  }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  assert.deepEqual(problems, []);
  router.configure(config, new Map(), []);
  const { server } = new HttpServer({ router, token: new TokenCheck('secret', { tokens: new Map() }), log: silentLog, identityToken: 'secret', localEndpoint: () => ({ state: 'off' }) });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const get = async (path: string): Promise<unknown> => (await fetch(url + path, { headers: { authorization: 'Bearer secret' } })).json();
    const expected = router.offered().map(({ requestedModel, maxInputTokens, maxOutputTokens }) => ({ requestedModel, maxInputTokens, maxOutputTokens }));
    const calls = [watchCalls(ledger), watchCalls(healthRegistry), watchCalls(limiter)];

    const { data } = await get('/v1/models') as { data: { id: string; max_input_tokens: number; max_tokens: number }[] };
    assert.deepEqual(data.map(one => ({ requestedModel: one.id, maxInputTokens: one.max_input_tokens, maxOutputTokens: one.max_tokens })), expected);
    const { models: tags } = await get('/api/tags') as { models: { name: string }[] };
    assert.deepEqual(tags.map(({ name }) => name), ['best', 'm', 'n']);
    const { models: google } = await get('/v1beta/models') as { models: { displayName: string }[] };
    assert.deepEqual(google.map(({ displayName }) => displayName), ['best (route)', 'm', 'n']);
    assert.equal((await get('/v1/models/n') as { id: string }).id, 'n');
    assert.deepEqual(calls, [[], [], []]);

    // The watch is a real one.
    router.offered();
    assert.ok(calls.some(names => names.length > 0));
  } finally {
    server.closeAllConnections();
    server.close();
    await router.shutdown();
  }
});
