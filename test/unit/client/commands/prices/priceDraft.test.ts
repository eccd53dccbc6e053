import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestSummary } from '../../../../../server/api/receipt.ts';
import { priceSchema } from '../../../../../server/config/schema.ts';
import { priceDescription, pricedModels, priceSteps, readPrice, withModelPrices } from '../../../../../client/commands/prices/priceDraft.ts';
import type { Endpoints } from '../../../../../client/settings/settingsEdits.ts';

const endpoints: Endpoints = {
  relay: { provider: 'openai-compatible', baseUrl: 'https://relay.example/v1', models: { m: { upstream: 'vendor/m', prices: { inputPerMTok: 1, outputPerMTok: 2 } } } },
  local: { provider: 'ollama' },
};
const request = (target: string | undefined, microUsd?: number): RequestSummary => ({
  id: 'x', startedAt: 0, requestedModel: 'auto', ...(target === undefined ? {} : { target }), attempts: 1, failedAttempts: 0, outcome: 'ok', totalMs: 1, usage: { inputTokens: 1 },
  cost: microUsd === undefined ? { certainty: 'unknown' } : { certainty: 'exact', microUsd }, caller: { tool: 'http' },
});

describe('a price that a person writes', () => {
  it('is dollars for a million tokens, and may be left out only where it need not be known', () => {
    assert.deepEqual(['2', '$0.42', '0,075', '0', ' 15 '].map(text => readPrice(text, true)), [2, 0.42, 0.075, 0, 15]);
    for (const text of ['', 'five', '-1', '1e5', '100001', '1.2.3', '1,000.5']) assert.match(String(readPrice(text, true)), /such as 2 or 0\.42/, text);
    assert.equal(readPrice(' ', false), undefined);
    for (const [text, one, other] of [['1,000', '1000', '1.000'], ['$2,500', '2500', '2.500']] as const) assert.match(String(readPrice(text, true)), new RegExp(`Write ${one} or ${other}:`), text);
    assert.deepEqual(['12,5', '0,500', '2500', '1,0000'].map(text => readPrice(text, true)), [12.5, 0.5, 2500, 1]);
    assert.match(String(readPrice('cheap', false)), /such as/);
  });
});

describe('models whose prices can be set', () => {
  it('are those of configured providers, with those first whose requests have no cost', () => {
    const requests = [request('relay/new'), request('relay/new'), request('relay/m', 5), request('gone/m'), request(undefined), request('local/llama')];
    const models = pricedModels(endpoints, ['relay/m', 'local/llama', 'local/a', 'relay/m', 'no-target'], requests);
    assert.deepEqual(models.map(model => [model.target, priceDescription(model)]), [
      ['relay/new', 'cost unknown of 2 requests'], ['local/llama', 'cost unknown of 1 request'], ['local/a', ''], ['relay/m', '$1 in, $2 out'],
    ]);
  });
});

describe('prices in the settings', () => {
  it('take the place of earlier ones, and everything else stays', () => {
    const prices = { inputPerMTok: 3, outputPerMTok: 6, cacheReadPerMTok: 0.3 };
    const changed = withModelPrices(endpoints, 'relay/m', prices);
    assert.deepEqual(changed['relay'], { ...endpoints['relay'], models: { m: { upstream: 'vendor/m', prices } } });
    assert.deepEqual(changed['local'], endpoints['local']);
    assert.deepEqual(withModelPrices(endpoints, 'local/vendor/model', prices)['local']?.models, { 'vendor/model': { prices } });
    assert.equal(withModelPrices(endpoints, 'gone/m', prices), endpoints);
  });

  it('are those that the schema takes', () => {
    const written = Object.fromEntries(priceSteps.map(({ field, isRequired }) => [field, readPrice('100000', isRequired)]));
    assert.equal(priceSchema.safeParse(written).success, true);
    assert.deepEqual(priceSteps.filter(({ field }) => !priceSchema.safeParse({ ...written, [field]: undefined }).success).map(({ field }) => field), priceSteps.filter(({ isRequired }) => isRequired).map(({ field }) => field));
  });
});
