import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointSettings, RouteSettings } from '../../../../server/api/settings.ts';
import type { Condition } from '../../../../server/api/condition.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import { emptyConfig } from '../../../../server/config/config.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import type { ModelFacts } from '../../../../server/models/mergedFacts.ts';
import { OfferCache, type NamesView, type OfferView } from '../../../../server/router/status/offers.ts';

const at = (priority: number, models: string[], more: Partial<EndpointSettings> = {}): EndpointSettings => ({
  provider: 'openai-compatible', baseUrl: 'http://127.0.0.1:1/v1', priority, models: Object.fromEntries(models.map(model => [model, {}])), ...more,
});

/** The offered models; `facts` and `conditions` by endpoint. */
function offers(options: {
  endpoints: Record<string, EndpointSettings>; routes?: Record<string, RouteSettings>; conditions?: Record<string, Condition>;
  facts?: Record<string, ReturnType<OfferView['facts']>>;
}): ReturnType<OfferCache['offered']> {
  const { config, problems } = resolveConfig({ endpoints: options.endpoints, routes: options.routes ?? {} }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  assert.deepEqual(problems, []);
  return new OfferCache().offered({
    config, modelAt: (_endpoint, name) => name,
    modelsOf: endpoint => Object.keys(config.endpoints.get(endpoint)?.models ?? {}),
    facts: endpoint => options.facts?.[endpoint] ?? {},
    condition: endpoint => options.conditions?.[endpoint] ?? { kind: 'healthy' },
    now: 0,
  }, 0);
}

describe('the models offered to callers', () => {
  it('are the routes first, then every model once, with stable ids that are never a bare name', () => {
    const offered = offers({ endpoints: { one: at(2, ['z', 'shared']), two: at(1, ['shared']) }, routes: { auto: { targets: ['one/z'] }, other: { targets: ['two/shared'] } } });
    assert.deepEqual(offered.map(one => one.id), ['route:auto', 'route:other', 'model:shared', 'model:z']);
    assert.deepEqual(offered.map(one => one.requestedModel), ['auto', 'other', 'shared', 'z']);
    assert.deepEqual(offered[2]?.targets, ['two/shared', 'one/shared']);
  });

  it('say how many targets can serve, and which one will', () => {
    const situation = { endpoints: { one: at(1, ['m']), two: at(2, ['m']) }, routes: { auto: { targets: ['one/m', 'two/m'] } } };
    const route = (more: object): unknown[] => {
      const offered = offers({ ...situation, ...more })[0];
      return [offered?.state, offered?.detail, offered?.warning];
    };
    assert.deepEqual(route({}), ['healthy', 'via one', undefined]);
    assert.deepEqual(route({ conditions: { one: { kind: 'unknown' }, two: { kind: 'unknown' } } }), ['unknown', 'via one', undefined]);
    assert.deepEqual(route({ conditions: { one: { kind: 'degraded', why: 'rate limited' } } }), ['degraded', 'via one · degraded', 'one: degraded (rate limited)']);
    assert.deepEqual(route({ conditions: { one: { kind: 'down', why: 'network error' } } }), ['degraded', '1/2 up · via two', 'one: down (network error)']);
    assert.deepEqual(route({ conditions: { one: { kind: 'rate-limited' }, two: { kind: 'no-key' } } }), ['down', 'none up', 'one: rate-limited; two: no key stored']);
  });

  it('keep the detail of a row short, so that the name beside it is readable', () => {
    const single = offers({ endpoints: { one: at(1, ['m']) }, conditions: { one: { kind: 'rate-limited', until: 60_000 } } })[0];
    assert.match(single?.detail ?? '', /^rate-limited, back at \d\d:\d\d$/);
  });

  it('take context window and limits from the target that will serve, and capabilities from all', () => {
    const facts = { one: { contextWindow: 100_000, maxOutputTokens: 20_000, images: false, tools: true }, two: { contextWindow: 50_000, maxOutputTokens: 4000, thinking: true } };
    const offered = offers({ endpoints: { one: at(1, ['m']), two: at(2, ['m']) }, facts })[0];
    assert.deepEqual([offered?.maxInputTokens, offered?.maxOutputTokens, offered?.imageInput, offered?.toolCalling, offered?.thinking], [80_000, 20_000, true, true, true]);
    const other = offers({ endpoints: { one: at(1, ['m']), two: at(2, ['m']) }, facts, conditions: { one: { kind: 'down' } } })[0];
    assert.deepEqual([other?.maxInputTokens, other?.maxOutputTokens], [46_000, 4000]);
    const blind = offers({ endpoints: { one: at(1, ['m']) }, facts: { one: { images: false, tools: false } } })[0];
    assert.deepEqual([blind?.imageInput, blind?.toolCalling, blind?.thinking], [false, false, false]);
  });

  it('show the price of the user, else the known one', () => {
    const priced = at(1, [], { models: { m: { prices: { inputPerMTok: 0.42, outputPerMTok: 0.84 } } } });
    assert.equal(offers({ endpoints: { one: priced }, facts: { one: { pricing: 'other' } } })[0]?.pricing, '$0.42 in / $0.84 out per 1M');
    assert.equal(offers({ endpoints: { one: at(1, ['m']) }, facts: { one: { pricing: 'known' } } })[0]?.pricing, 'known');
    assert.equal(offers({ endpoints: { one: at(1, ['m']) } })[0]?.pricing, undefined);
    assert.equal(offers({ endpoints: { one: at(1, ['m'], { billing: 'subscription' }) }, facts: { one: { pricing: 'known' } } })[0]?.pricing, 'covered by a subscription');
    assert.equal(offers({ endpoints: { one: at(1, ['m'], { billing: 'free' }) }, facts: { one: { pricing: 'known' } } })[0]?.pricing, 'free of charge');
  });

  it('leave out models that only a disabled endpoint serves', () => {
    assert.deepEqual(offers({ endpoints: { one: at(1, ['m'], { enabled: false }) } }), []);
  });

  it('are listed by name without reading any state, in the same order and with the same limits', () => {
    const { config } = resolveConfig(
      { endpoints: { one: at(2, ['z', 'shared']), two: at(1, ['shared', 'a']), off: at(1, ['hidden'], { enabled: false }) }, routes: { auto: { targets: ['one/z'] } } },
      { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' },
    );
    const facts = (endpoint: string): ModelFacts => (endpoint === 'two' ? { contextWindow: 50_000, maxOutputTokens: 4000 } : {});
    const view: NamesView = { config, modelAt: (_endpoint, name) => name, modelsOf: endpoint => Object.keys(config.endpoints.get(endpoint)?.models ?? {}), facts };
    const names = new OfferCache().names(view, 0);
    const offered = new OfferCache().offered({ ...view, condition: () => ({ kind: 'healthy' }), now: 0 }, 0);
    assert.deepEqual(names, offered.map(({ requestedModel, kind, name, maxInputTokens, maxOutputTokens }) => ({ requestedModel, kind, name, maxInputTokens, maxOutputTokens })));
    assert.deepEqual(names.map(one => one.requestedModel), ['auto', 'a', 'shared', 'z']);
  });

  it('are none when the last endpoint is gone, also when the names were read first', () => {
    const { config } = resolveConfig({ endpoints: { one: at(1, ['m']) }, routes: {} }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
    const before: OfferView = { config, modelAt: (_endpoint, name) => name, modelsOf: () => ['m'], facts: () => ({}), condition: () => ({ kind: 'healthy' }), now: 0 };
    const after: OfferView = { ...before, config: emptyConfig };
    const cache = new OfferCache();
    assert.equal(cache.offered(before, 1).length, 1);
    assert.deepEqual(cache.names(after, 2), []);
    assert.deepEqual(cache.offered(after, 2), []);
  });
});
