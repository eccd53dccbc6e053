import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '../../../server/base/log.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { emptyConfig } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { createHealthRegistry } from '../../../server/health/registry.ts';
import { ModelDirectory } from '../../../server/models/modelDirectory.ts';
import { createPricer } from '../../../server/pricing/pricing.ts';
import { createSignals } from '../../../server/router/signals.ts';
import { RouteTable, type ResolvedTarget } from '../../../server/routing/routeTable.ts';
import { ExpectedUsage } from '../../../server/pricing/expectedUsage.ts';
import { FirstTokenAverages } from '../../../server/timeouts/firstTokenAverages.ts';
import { Turns } from '../../../server/routing/turns.ts';
import { createAdaptiveTimeouts } from '../../../server/timeouts/adaptiveTimeouts.ts';

const now = Date.UTC(2026, 10, 20, 12);
const { config } = resolveConfig({
  endpoints: {
    priced: { provider: 'openai-compatible', baseUrl: 'https://one.example.com/v1', models: { m: { prices: { inputPerMTok: 3, outputPerMTok: 15 } } } },
    unpriced: { provider: 'openai-compatible', baseUrl: 'https://two.example.com/v1', models: { m: {} } },
  },
  routes: {},
}, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });

/** The parts of the router that signals are read from. */
function rooms() {
  const healthRegistry = createHealthRegistry({ random: () => 0.5, startedAt: now });
  const timers = createAdaptiveTimeouts();
  const directory = new ModelDirectory(emptyConfig);
  healthRegistry.configure(config.endpoints);
  timers.configure(config.endpoints);
  directory.configure(config);
  const table = new RouteTable({ config, directory, facts: () => ({}) });
  const at = (endpoint: string): ResolvedTarget => table.target(endpoint, 'm') ?? assert.fail();
  return { healthRegistry, timers, priced: at('priced'), unpriced: at('unpriced'), signals: createSignals({ healthRegistry, timers, pricer: createPricer({ log: silentLog }), clock: { now: () => now }, turns: new Turns(() => 0), firstTokens: new FirstTokenAverages(), expectedUsage: new ExpectedUsage() }) };
}

describe('the signals that strategies order targets by', () => {
  it('count the running attempts of an endpoint', () => {
    const { healthRegistry, signals, priced, unpriced } = rooms();
    assert.equal(signals.inFlight(priced), 0);
    healthRegistry.enter('priced', 'm', now);
    healthRegistry.enter('priced', 'other', now);
    assert.deepEqual([signals.inFlight(priced), signals.inFlight(unpriced)], [2, 0]);
    healthRegistry.release('priced', 'm');
    assert.equal(signals.inFlight(priced), 1);
  });

  it('expect the cost of all answers that are asked for, each of at most what the request allows', () => {
    const { signals, priced } = rooms();
    const cost = (requirements: { maxOutputTokens?: number; answers?: number }): number => signals.expectedCostMicroUsd(priced, { caller: { tool: 't' }, kind: 'normal', stream: false, requirements: { estimatedInputTokens: 0, ...requirements } }) ?? assert.fail();
    assert.deepEqual([cost({ maxOutputTokens: 100 }), cost({ maxOutputTokens: 100, answers: 20 }), cost({ answers: 2 })], [1500, 30_000, 18_000]);
  });

  it('give the share of failed attempts', () => {
    const { healthRegistry, signals, priced, unpriced } = rooms();
    for (let count = 0; count < 4; count += 1) {
      healthRegistry.record({ endpoint: 'priced', model: 'm', at: now, kind: 'traffic', ...(count === 0 ? { failureClass: 'server', message: 'x' } : {}) });
    }
    assert.deepEqual([signals.errorRate(priced), signals.errorRate(unpriced)], [0.25, undefined]);
  });

  it('give the time to the first token and the speed of streams, for each kind of request with enough measurements', () => {
    const { timers, signals, priced, unpriced } = rooms();
    assert.deepEqual([signals.firstTokenMs(priced, 'normal'), signals.tokensPerSecond(priced, 'normal')], [undefined, undefined]);
    for (const [kind, firstTokenMs, tokensPerSecond] of [['fast', 100, 200], ['complex', 4000, 20]] as const) {
      for (let count = 0; count < 50; count += 1) timers.observe({ endpoint: 'priced', model: 'm', kind, stream: true, at: now, firstTokenMs, tokensPerSecond });
    }
    const near = (figure: number | undefined, wanted: number): void => assert.ok(figure !== undefined && Math.abs(figure / wanted - 1) < 0.1, `${String(figure)} is about ${wanted}`);
    near(signals.firstTokenMs(priced, 'fast'), 100);
    near(signals.tokensPerSecond(priced, 'fast'), 200);
    near(signals.firstTokenMs(priced, 'complex'), 4000);
    near(signals.tokensPerSecond(priced, 'complex'), 20);
    near(signals.firstTokenMs(priced, 'normal'), 4000);
    assert.equal(signals.firstTokenMs(unpriced, 'fast'), undefined);
  });

  it('give the cost of a number of tokens, and nothing without a known price', () => {
    const { signals, priced, unpriced } = rooms();
    const usage = { inputTokens: 1000, outputTokens: 100 };
    assert.deepEqual([signals.costMicroUsd(priced, usage), signals.costMicroUsd(unpriced, usage)], [4500, undefined]);
  });
});
