import type { EndpointSettings, RouteSettings, StrategyName } from '../../server/api/settings.ts';
import { routeStrategies } from '../../server/api/settings.ts';
import type { BuiltRouter } from '../../server/app/createRouter.ts';
import { findProvider, providers } from '../../server/catalog/providers.ts';
import { resolveConfig } from '../../server/config/resolve.ts';
import type { ModelCache } from '../../server/models/modelCache.ts';
import { chatRequirements, sampleRequest } from '../../server/routing/resilience/whatIfView.ts';
import { anAttempt, noon } from '../unit/ledger/receipts.ts';
import { createTestRouter } from '../unit/router/createTestRouter.ts';
import type { Measure, Row } from './measure.ts';

/** What it costs to plan one request at 20 endpoints with 200 models each, by strategy, in this process. */

const endpoints = 20;
const models = 200;
const warmUpPlans = 20_000;
const plans = 5000;
const allowedUs = 100;
const baseUrl = 'https://relay.example.com/v1';

type Way = StrategyName | 'nested';
const ways: readonly Way[] = [...Object.keys(routeStrategies) as StrategyName[], 'nested'];

const rows: Record<string, Row> = Object.fromEntries(ways.flatMap(way => [
  [`planning ${way} p50`, { title: `plan of ${endpoints} targets, ${way}: p50`, unit: 'us' }],
  [`planning ${way} p99`, { title: `plan of ${endpoints} targets, ${way}: p99`, unit: 'us', target: { most: allowedUs } }],
] as const));

export const planningMeasure: Measure = {
  name: 'planning',
  rows,
  async run(bench) {
    const built = largeRouter();
    try {
      for (const way of ways) {
        const times = timesOf(built, way);
        bench.record(`planning ${way} p50`, 'waybill', times[Math.floor(0.5 * times.length)] ?? NaN);
        bench.record(`planning ${way} p99`, 'waybill', times[Math.floor(0.99 * times.length)] ?? NaN);
      }
    } finally {
      await built.router.shutdown();
    }
  },
};

/** In microseconds, the shortest first. */
function timesOf({ services }: BuiltRouter, way: Way): number[] {
  const plan = (): unknown => services.makePlan({ ...sampleRequest(way, chatRequirements), conversation: 'a conversation', rehearsal: undefined }, services.view(chatRequirements.estimatedInputTokens));
  for (let count = 0; count < warmUpPlans; count++) plan();
  const times: number[] = [];
  for (let count = 0; count < plans; count++) {
    const startedAt = process.hrtime.bigint();
    plan();
    times.push(Number(process.hrtime.bigint() - startedAt) / 1000);
  }
  return times.sort((a, b) => a - b);
}

function largeRouter(): BuiltRouter {
  const names = Array.from({ length: endpoints }, (_, index) => `e${index}`);
  const modelNames = Array.from({ length: models }, (_, index) => `family-${index}-chat`);
  const endpoint = (index: number): EndpointSettings => ({
    provider: 'openai-compatible', baseUrl, probe: { enabled: false },
    models: { 'family-0-chat': { prices: { inputPerMTok: 1 + index % 7, outputPerMTok: 8 + index % 5, cacheReadPerMTok: 0.1 } } },
  });
  const targets = names.map(name => `${name}/family-0-chat`);
  const half = endpoints / 2;
  const routes: Record<string, RouteSettings> = Object.fromEntries(Object.keys(routeStrategies).map(strategy => [strategy, { strategy: strategy as StrategyName, targets }]));
  const nested: Record<string, RouteSettings> = {
    'nested': { strategy: 'weighted', targets: ['near', 'far'], weights: { near: 3 } },
    'near': { strategy: 'fastest', targets: targets.slice(0, half) },
    'far': { strategy: 'cheapest', targets: targets.slice(half) },
  };
  const { config } = resolveConfig({ endpoints: Object.fromEntries(names.map((name, index) => [name, endpoint(index)])), routes: { ...routes, ...nested } },
    { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat'], source: 'settings' });
  const lists = new Map(names.map(name => [name, { baseUrl, at: noon, models: modelNames.map(model => ({ name: model, facts: { contextWindow: 128_000 } })) }]));
  const cache: Pick<ModelCache, 'read' | 'write'> = { read: () => lists, write: () => {} };
  const built = createTestRouter({ modelCache: cache as ModelCache });
  const record = anAttempt({});
  built.router.configure(config, new Map(names.map(name => [name, [{ id: `key-${name}`, label: 'main', secret: `secret-of-${name}` }]])), []);
  // Each target has answered some requests, so that all that strategies go by is known.
  for (const [index, endpointConfig] of [...config.endpoints.values()].entries()) {
    const { name } = endpointConfig;
    const target = { target: `${name}/family-0-chat`, endpoint: name, model: 'family-0-chat', upstreamModel: 'family-0-chat' };
    const attempt = { ...record, ...target, firstTokenMs: 200 + 10 * index, totalMs: 2000, kind: 'normal' } as const;
    for (let count = 0; count < 20; count++) {
      built.events.attemptEnded.emit({
        attempt: { exchangeId: 'x-1', target, endpoint: endpointConfig, keyId: `key-${name}`, number: 1, role: undefined, stream: true, trial: false, startedAt: noon },
        record: attempt, verdict: 'ok', error: undefined, status: 200, timedOut: undefined, tokensPerSecond: undefined, at: noon,
      });
    }
  }
  return built;
}
