import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import { emptyConfig, type Config } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import type { ModelFacts } from '../../../server/models/mergedFacts.ts';
import { ModelDirectory } from '../../../server/models/modelDirectory.ts';
import { makePlan } from '../../../server/routing/makePlan.ts';
import { RouteTables, type RouteTable } from '../../../server/routing/routeTable.ts';
import { ask, FakeRoutingView } from './routingFixture.ts';

function configOf(endpoints: Record<string, unknown>, routes: Record<string, unknown> = {}): Config {
  const { config, problems } = resolveConfig({ endpoints, routes }, { catalog: { providers, findProvider }, supportedProtocols: ['openai-chat', 'openai-responses'], source: 'settings' });
  assert.deepEqual(problems, []);
  return config;
}

const prices = { inputPerMTok: 1, outputPerMTok: 2 };
const oneEndpoint = configOf({
  openai: { provider: 'openai', region: 'us', models: { 'gpt-6.1-sol': { prices }, 'gpt-4-1': {} } }, relay: { provider: 'openai-compatible', baseUrl: 'https://relay.example.com/v1' },
}, { auto: { targets: ['openai/gpt-4.1', 'relay/gpt-4-1', 'openai/gpt-4-1'] } });

/** Route tables over a real directory of models. They count how often facts are read. */
class Tables {
  readonly asked: string[] = [];
  readonly pricer = { isReady: false };
  readonly directory = new ModelDirectory(emptyConfig);
  config: Config = emptyConfig;
  readonly #tables = new RouteTables({
    config: () => this.config, directory: this.directory, pricer: this.pricer,
    facts: (endpoint, model): ModelFacts => {
      this.asked.push(`${endpoint}/${model}`);
      return {};
    },
  });

  constructor(config: Config) {
    this.configure(config);
  }

  configure(config: Config): void {
    this.config = config;
    this.directory.configure(config);
  }

  current(): RouteTable {
    return this.#tables.current();
  }
}

describe('a route table', () => {
  it('resolves a target once, whether a route, a model or an attempt needs it', () => {
    const tables = new Tables(oneEndpoint);
    const table = tables.current();
    const target = table.target('openai', 'gpt-4.1') ?? assert.fail();
    assert.equal(table.target('openai', 'gpt-4.1'), target);
    assert.equal(table.targetsOfRoute('auto')?.[0], target);
    assert.ok(table.targetsOfModel('gpt-4.1').includes(target));
    assert.deepEqual(tables.asked, ['openai/gpt-4.1', 'relay/gpt-4.1']);
    assert.equal(target.price, target.price);
    assert.equal(target.protocols, target.protocols);
    assert.equal(target.planned, target.planned);
  });

  it('lists the targets of a route once each, whatever their spelling', () => {
    assert.deepEqual(new Tables(oneEndpoint).current().targetsOfRoute('auto')?.map(({ name }) => name), ['openai/gpt-4.1', 'relay/gpt-4.1']);
    assert.equal(new Tables(oneEndpoint).current().targetsOfRoute('nothing'), undefined);
  });

  it('gives a target the facts for planning, sending and pricing', () => {
    const target = new Tables(oneEndpoint).current().target('openai', 'gpt-6.1-sol') ?? assert.fail();
    const { endpoint } = target;
    assert.equal(endpoint, oneEndpoint.endpoints.get('openai'));
    assert.equal(target.dialect, endpoint.provider.dialect);
    assert.deepEqual(target.price, {
      model: 'gpt-6.1-sol', upstreamModel: 'gpt-6.1-sol', endpointName: 'openai', provider: endpoint.provider, configPrices: prices, listedPrices: undefined,
      priceFactor: endpoint.provider.regions?.find(({ id }) => id === 'us')?.priceFactor,
    });
    assert.deepEqual(target.planned, { target: 'openai/gpt-6.1-sol', endpoint: 'openai', model: 'gpt-6.1-sol', upstreamModel: 'gpt-6.1-sol' });
    assert.ok(Object.isFrozen(target.planned), 'receipts share it');
    assert.ok(target.protocols.choices.length > 0, 'the target accepts responses as well');
    assert.deepEqual(new Tables(oneEndpoint).current().target('relay', 'x')?.protocols.choices, []);
  });

  it('is valid until the configuration, a list of models or the price table changes', () => {
    const tables = new Tables(oneEndpoint);
    const first = tables.current();
    assert.equal(tables.current(), first);
    tables.directory.apply('relay', [{ name: 'new-model' }], 1);
    const second = tables.current();
    assert.notEqual(second, first);
    assert.equal(tables.current(), second);
    tables.directory.apply('relay', [{ name: 'new-model' }], 2);
    assert.equal(tables.current(), second, 'the same list again changes nothing');
    tables.pricer.isReady = true;
    const third = tables.current();
    assert.notEqual(third, second);
    tables.configure(configOf({ relay: { provider: 'openai-compatible', baseUrl: 'https://relay.example.com/v2' } }));
    const fourth = tables.current();
    assert.notEqual(fourth, third);
    assert.equal(fourth.target('openai', 'gpt-4.1'), undefined);
    assert.equal(third.target('openai', 'gpt-4.1')?.endpoint.name, 'openai', 'a replaced table does not change');
  });

  it('does not store targets of models that only a caller names', () => {
    const tables = new Tables(oneEndpoint);
    const table = tables.current();
    const pinned = table.target('openai', 'made-up') ?? assert.fail();
    assert.equal(pinned.name, 'openai/made-up');
    assert.notEqual(table.target('openai', 'made-up'), pinned);
    assert.equal(table.target('nowhere', 'made-up'), undefined);
    assert.deepEqual(table.targetsOfModel('made-up'), []);
  });

  it('resolves nothing before the first request, and for a plan only the targets of the plan', () => {
    const tables = new Tables(configOf(
      Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`e${index}`, { provider: 'openai-compatible', baseUrl: 'https://relay.example.com/v1' }])),
      { auto: { targets: ['e1/m7', 'e2/m7'] } },
    ));
    const models = Array.from({ length: 1000 }, (_, index) => ({ name: `m${index}` }));
    for (const endpoint of tables.config.endpoints.keys()) tables.directory.apply(endpoint, models, 1);
    const table = tables.current();
    assert.deepEqual(tables.asked, []);
    const view = Object.defineProperty(new FakeRoutingView({}), 'table', { value: table });
    assert.equal(makePlan(ask('auto'), view).plan.targets.length, 2);
    assert.deepEqual(tables.asked, ['e1/m7', 'e2/m7']);
    makePlan(ask('auto'), view);
    makePlan(ask('e1/m7'), view);
    assert.deepEqual(tables.asked, ['e1/m7', 'e2/m7']);
    assert.equal(makePlan(ask('m8'), view).plan.targets.length, 200);
    assert.equal(tables.asked.length, 202);
  });
});
