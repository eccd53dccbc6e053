import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { chatRequirements, sampleRequest } from '../../../server/routing/resilience/whatIfView.ts';
import { anAttempt, noon } from '../ledger/receipts.ts';
import { createTestRouter } from './createTestRouter.ts';

test('a route goes to the target whose attempts began to answer soonest, and says so in its plan', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { router, services, events } = createTestRouter();
  t.after(() => router.shutdown());
  const endpoint = { provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', probe: { enabled: false }, models: { m: {} } };
  const { config } = resolveConfig({ endpoints: { north: endpoint, south: endpoint }, routes: { auto: { strategy: 'fastest', targets: ['north/m', 'south/m'] } } },
    { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  router.configure(config, new Map(['north', 'south'].map(name => [name, [{ id: name, label: name, secret: `secret-of-${name}` }]])), []);
  const plan = () => services.makePlan(sampleRequest('auto', chatRequirements), services.view(100)).plan;
  assert.equal(plan().why, 'fastest: north/m is tried, because it was not measured lately');
  for (const [name, firstTokenMs] of [['north', 1500], ['south', 400]] as const) {
    const target = { target: `${name}/m`, endpoint: name, model: 'm', upstreamModel: 'm' };
    events.attemptEnded.emit({
      attempt: { exchangeId: 'x-1', target, endpoint: config.endpoints.get(name) ?? assert.fail(), keyId: name, number: 1, role: undefined, stream: true, trial: false, startedAt: noon },
      record: anAttempt({ ...target, firstTokenMs, kind: 'normal', usage: {} }), verdict: 'ok', error: undefined, status: 200, timedOut: undefined, tokensPerSecond: undefined, at: noon,
    });
  }
  assert.deepEqual(plan().targets.map(({ target }) => target), ['south/m', 'north/m']);
  assert.equal(plan().why, 'fastest: south/m takes about 0.4 s to the first token, next 1.5 s');
});
