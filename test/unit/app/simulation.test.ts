import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { simulatedEndpoints, simulatedModel } from '../../../server/api/firstRun/simulated.ts';
import { SimulatedProviders } from '../../../server/app/simulated/simulation.ts';
import { silentLog } from '../../../server/base/log.ts';
import { simulated } from '../../../server/catalog/localProviders.ts';
import { createPricer } from '../../../server/pricing/pricing.ts';

async function said(baseUrl: string, protocol: 'openai-chat' | 'anthropic-messages'): Promise<string> {
  const messages = [{ role: 'user', content: 'hello there' }];
  const response = protocol === 'openai-chat'
    ? await fetch(`${baseUrl}/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: simulatedModel, messages }) })
    : await fetch(`${baseUrl}/v1/messages`, { method: 'POST', headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' }, body: JSON.stringify({ model: simulatedModel, max_tokens: 200, messages }) });
  return response.text();
}

describe('simulated providers of the settings', () => {
  const played = new SimulatedProviders();
  after(() => played.close());
  const real = { provider: 'openai' };

  it('get addresses at which they answer, each in its protocol, and say that they are simulated', async () => {
    const { endpoints, problems } = await played.addressed({ real, ...simulatedEndpoints });
    assert.deepEqual(problems, []);
    assert.equal(endpoints['real'], real, 'what is not simulated stays as it is');
    for (const name of ['simulated-a', 'simulated-b'] as const) {
      const { baseUrl = '', protocol } = endpoints[name] ?? assert.fail();
      assert.match(baseUrl, /^http:\/\/127\.0\.0\.1:\d+/);
      assert.match(await said(baseUrl, protocol === 'anthropic-messages' ? protocol : 'openai-chat'), new RegExp(`This answer is simulated: ${name} wrote it.*hello there`));
    }
  });

  it('show nobody what they were asked, and cannot be told to misbehave', async () => {
    const { endpoints } = await played.addressed(simulatedEndpoints);
    const { origin } = new URL(endpoints['simulated-a']?.baseUrl ?? '');
    for (const [path, method] of [['requests', 'GET'], ['die', 'POST'], ['behaviour', 'POST']] as const) {
      const response = await fetch(`${origin}/__sandbox/${path}`, { method, ...(method === 'POST' ? { body: '{"type":"refuse"}' } : {}) });
      assert.deepEqual([response.status, await response.text()], [404, ''], path);
    }
    assert.match(await said(`${origin}/v1`, 'openai-chat'), /simulated-a wrote it/);
  });

  it('keep their address while the settings name them', async () => {
    const first = await played.addressed(simulatedEndpoints);
    assert.deepEqual(await played.addressed(simulatedEndpoints), first);
  });

  it('go to no address of the settings', async () => {
    const { endpoints } = await played.addressed({ 'simulated-a': { provider: 'simulated', baseUrl: 'https://example.com/v1' } });
    assert.match(endpoints['simulated-a']?.baseUrl ?? '', /^http:\/\/127\.0\.0\.1:/);
  });

  it('end when no settings name them any more', async () => {
    const { endpoints } = await played.addressed(simulatedEndpoints);
    await played.endOthers({ real, 'simulated-b': simulatedEndpoints['simulated-b'] ?? assert.fail() });
    await assert.rejects(said(endpoints['simulated-a']?.baseUrl ?? '', 'openai-chat'));
    assert.match(await said(endpoints['simulated-b']?.baseUrl ?? '', 'anthropic-messages'), /simulated-b wrote it/);
    await played.endOthers({ real });
    await assert.rejects(said(endpoints['simulated-b']?.baseUrl ?? '', 'anthropic-messages'));
  });

  it('cost nothing whatever the settings or the answer say, and the record names them', () => {
    const cost = createPricer({ log: silentLog }).priceAttempt({
      provider: simulated, endpointName: 'simulated-a', model: simulatedModel, upstreamModel: simulatedModel, at: 0, usageEstimated: false,
      usage: { inputTokens: 1000, outputTokens: 500, reportedCostMicroUsd: 7 }, configPrices: { inputPerMTok: 5, outputPerMTok: 5 },
    });
    assert.deepEqual(cost, { microUsd: 0, certainty: 'exact', priceSource: 'simulated' });
  });
});
