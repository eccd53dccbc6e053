import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PriceSettings } from '../../../../server/api/settings.ts';
import type { TokenUsage } from '../../../../server/api/conversation.ts';
import type { RequestKind } from '../../../../server/api/receipt.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import { emptyConfig } from '../../../../server/config/config.ts';
import { resolveConfig } from '../../../../server/config/resolve.ts';
import { createHealthRegistry } from '../../../../server/health/registry.ts';
import { ModelDirectory } from '../../../../server/models/modelDirectory.ts';
import { ExpectedUsage } from '../../../../server/pricing/expectedUsage.ts';
import { createPricer } from '../../../../server/pricing/pricing.ts';
import { createSignals } from '../../../../server/router/signals.ts';
import { RouteTable } from '../../../../server/routing/routeTable.ts';
import { cheapest } from '../../../../server/routing/strategies/cheapest.ts';
import type { Choice } from '../../../../server/routing/strategies/strategy.ts';
import { Turns } from '../../../../server/routing/turns.ts';
import { createAdaptiveTimeouts } from '../../../../server/timeouts/adaptiveTimeouts.ts';
import { FirstTokenAverages } from '../../../../server/timeouts/firstTokenAverages.ts';
import { seededRandom } from '../../support/seededRandom.ts';
import { ask, plainRequirements } from '../routingFixture.ts';

const now = Date.UTC(2026, 10, 20, 12);
const pricer = createPricer({ log: silentLog });
await pricer.ready();

const own = (prices?: PriceSettings): unknown => ({ provider: 'openai-compatible', baseUrl: 'https://one.example.com/v1', models: { m: prices === undefined ? {} : { prices } } });
const endpoints: Record<string, unknown> = {
  /** Dear answers, cheap prompts. */
  reader: own({ inputPerMTok: 0.3, outputPerMTok: 12 }),
  /** Dear prompts, cheap answers. */
  writer: own({ inputPerMTok: 2, outputPerMTok: 2.5 }),
  /** Cheap where the prompt is in its cache. */
  cacher: own({ inputPerMTok: 3, outputPerMTok: 6, cacheReadPerMTok: 0.05 }),
  unpriced: own(),
  /** Its prices double above 200,000 tokens. */
  google: { provider: 'google', models: { 'gemini-2.5-pro': {} } },
};
const { config, problems } = resolveConfig({ endpoints, routes: {} }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat', 'gemini'], source: 'settings' });
assert.deepEqual(problems, []);

function world() {
  const directory = new ModelDirectory(emptyConfig);
  directory.configure(config);
  const table = new RouteTable({ config, directory, facts: () => ({}) });
  const choices = [...config.endpoints.keys()].map((name): Choice => {
    const first = table.target(name, name === 'google' ? 'gemini-2.5-pro' : 'm') ?? assert.fail();
    return { name, weight: 1, first };
  });
  const expectedUsage = new ExpectedUsage();
  const signals = createSignals({
    healthRegistry: createHealthRegistry({ random: () => 0.5, startedAt: now }), timers: createAdaptiveTimeouts(), pricer, clock: { now: () => now }, turns: new Turns(() => 0), firstTokens: new FirstTokenAverages(), expectedUsage,
  });
  return { choices, expectedUsage, signals };
}

/** What callers of one kind send, and get from every model: tokens, and what share of a prompt is in a cache. */
interface Traffic { tool: string; kind: RequestKind; prompt(random: () => number): number; answer(random: () => number): number; /** The average answer. */ usual: number; cached: number }

const around = (usual: number, spread: number) => (random: () => number): number => Math.round(usual * Math.exp(spread * 2 * (random() - 0.5)));
const traffic: readonly Traffic[] = [
  { tool: 'titles', kind: 'fast', prompt: around(800, 0.5), answer: around(12, 0.5), usual: 12, cached: 0 },
  { tool: 'chat', kind: 'normal', prompt: around(3000, 1), answer: around(900, 0.7), usual: 970, cached: 0 },
  { tool: 'agent', kind: 'complex', prompt: around(90_000, 1.2), answer: around(700, 0.7), usual: 755, cached: 0.9 },
];

describe('cheapest', () => {
  for (const seed of [1, 2, 3]) {
    it(`costs at most 1 % more than the best that can be known before an answer, at most 8 % more than with every answer known, and every fixed choice 15 % more or worse (seed ${seed})`, () => {
      const random = seededRandom(seed);
      const { choices, expectedUsage, signals } = world();
      const totals = new Map<string, number>();
      const add = (name: string, microUsd: number): void => { totals.set(name, (totals.get(name) ?? 0) + microUsd); };
      for (let index = 0; index < 3000; index++) {
        const { tool, kind, prompt, answer, usual, cached } = traffic[Math.floor(random() * traffic.length)] ?? assert.fail();
        const tokens = prompt(random);
        const usage: TokenUsage = { inputTokens: Math.round(tokens * (1 - cached)), cacheReadTokens: Math.round(tokens * cached), outputTokens: answer(random) };
        const costs = choices.map(choice => signals.costMicroUsd(choice.first, usage) ?? Infinity);
        const request = { ...ask('r', { ...plainRequirements, estimatedInputTokens: Math.round(tokens * 0.8) }), caller: { tool }, kind };
        const [chosen] = cheapest(choices, { route: 'r', request, signals, random }).order;
        const at = choices.findIndex(choice => choice === chosen);
        add('cheapest', costs[at] ?? Infinity);
        add('the best possible', Math.min(...costs));
        const expected = choices.map(choice => signals.costMicroUsd(choice.first, { ...usage, outputTokens: usual }) ?? Infinity);
        add('the best before', costs[expected.indexOf(Math.min(...expected))] ?? Infinity);
        choices.forEach(({ name }, place) => { add(name, costs[place] ?? Infinity); });
        const { name: target, model } = choices[at]?.first ?? assert.fail();
        expectedUsage.observe({ tool, kind, target, model }, usage);
      }
      const best = totals.get('the best possible') ?? 0;
      const ratio = (name: string): number => (totals.get(name) ?? 0) / best;
      assert.ok(ratio('cheapest') < 1.08, `${ratio('cheapest')} times the best possible`);
      assert.ok(ratio('cheapest') / ratio('the best before') < 1.01, `${ratio('cheapest') / ratio('the best before')} times the best that can be known`);
      for (const { name } of choices) assert.ok(ratio(name) > 1.15, `${name} alone costs ${ratio(name)} times the best possible`);
    });
  }

  const order = ({ choices, signals }: ReturnType<typeof world>, estimatedInputTokens: number, maxOutputTokens?: number): string[] => {
    const request = { ...ask('r', { ...plainRequirements, estimatedInputTokens, maxOutputTokens }), caller: { tool: 'chat' } };
    return cheapest(choices, { route: 'r', request, signals, random: () => 0 }).order.map(({ name }) => name);
  };

  it('goes by the answer that the caller allows, before anything is learnt', () => {
    assert.equal(order(world(), 10_000, 5)[0], 'reader');
    assert.equal(order(world(), 100, 5000)[0], 'writer');
  });

  it('knows tiers: a prompt above 200,000 tokens costs more at Google', () => {
    const { choices, signals } = world();
    const google = choices.find(({ name }) => name === 'google') ?? assert.fail();
    const cost = (inputTokens: number): number => (signals.costMicroUsd(google.first, { inputTokens, outputTokens: 0 }) ?? 0) / inputTokens;
    assert.equal(cost(300_000), 2 * cost(100_000));
  });

  it('puts a target without a known price last', () => {
    assert.equal(order(world(), 1000).at(-1), 'unpriced');
  });

  it('says what it expects', () => {
    const { choices, signals } = world();
    const { why } = cheapest(choices, { route: 'r', request: ask('r', { ...plainRequirements, maxOutputTokens: 100 }), signals, random: () => 0 });
    assert.match(why, /^cheapest: writer is expected to cost \$0\.000\d+, next \$0\.00\d+$/);
    const [unpriced] = choices.filter(({ name }) => name === 'unpriced');
    assert.ok(unpriced !== undefined);
    assert.equal(cheapest([unpriced, unpriced], { route: 'r', request: ask('r'), signals, random: () => 0 }).why, 'cheapest: no price is known, so the targets stand as they are listed');
  });
});
