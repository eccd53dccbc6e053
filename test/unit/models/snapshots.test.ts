import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { protocolNames } from '../../../server/api/conversation.ts';
import { silentLog } from '../../../server/base/log.ts';
import * as catalog from '../../../server/catalog/providers.ts';
import { emptyConfig } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { ModelDirectory } from '../../../server/models/modelDirectory.ts';
import { createPricer } from '../../../server/pricing/pricing.ts';
import { resolveName } from '../../../server/routing/resolveName.ts';
import { RouteTable } from '../../../server/routing/routeTable.ts';

interface Setup { endpoints: Record<string, unknown>; routes?: Record<string, unknown>; aliases?: Record<string, string>; lists?: Record<string, string[]> }

function tableOf({ endpoints, routes = {}, aliases = {}, lists = {} }: Setup): { table: RouteTable; directory: ModelDirectory } {
  const { config, problems } = resolveConfig({ endpoints, routes, aliases }, { catalog, supportedProtocols: protocolNames, source: 'file' });
  assert.deepEqual(problems, []);
  const directory = new ModelDirectory(emptyConfig);
  directory.configure(config);
  for (const [endpoint, names] of Object.entries(lists)) directory.apply(endpoint, names.map(name => ({ name })), 1);
  return { table: new RouteTable({ config, directory, facts: () => ({}) }), directory };
}

/** What each target of a name is sent, as `endpoint: model name`. */
function sent(setup: Setup, name: string): string[] {
  const resolved = resolveName(name, tableOf(setup).table);
  return (resolved?.candidates ?? []).map(one => (one.endpoint === undefined ? one.name : `${one.endpoint.name}: ${one.upstreamModel}`));
}

const relay = { provider: 'openai-compatible', baseUrl: 'https://relay.example/v1' };
const openai = { provider: 'openai' };
const listed: Setup = {
  endpoints: { openai, relay: { ...relay, priority: 500 } },
  routes: { pinned: { targets: ['openai/gpt-4o-2024-05-13', 'openai/gpt-4o-2024-08-06', 'openai/gpt-4o'] } },
  lists: { openai: ['gpt-4o', 'gpt-4o-2024-05-13', 'gpt-4o-2024-08-06'], relay: ['openai/gpt-4o', 'openai/gpt-4o-2024-05-13', 'azure/gpt-4o'] },
};
const unlisted: Setup = { endpoints: { openai }, routes: { pinned: { targets: ['openai/gpt-4o-2024-05-13'] } } };
const claude: Setup = {
  endpoints: { anthropic: { provider: 'anthropic' }, vertex: { provider: 'vertex', priority: 500 } },
  lists: { anthropic: ['claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', 'claude-sonnet-4-5-20251120'], vertex: ['claude-sonnet-4-5@20250929', 'claude-sonnet-4-5@20251120'] },
};

const cases: readonly (readonly [title: string, setup: Setup, name: string, sent: readonly string[]])[] = [
  ['each target of a route', listed, 'pinned', ['openai: gpt-4o-2024-05-13', 'openai: gpt-4o-2024-08-06', 'openai: gpt-4o']],
  ['a target', listed, 'openai/gpt-4o-2024-05-13', ['openai: gpt-4o-2024-05-13']],
  ['a target in another case', listed, 'openai/GPT-4o-2024-05-13', ['openai: gpt-4o-2024-05-13']],
  ['a target without a date', listed, 'openai/gpt-4o', ['openai: gpt-4o']],
  ['a bare name, each provider in its own spelling', listed, 'gpt-4o-2024-05-13', ['openai: gpt-4o-2024-05-13', 'relay: openai/gpt-4o-2024-05-13']],
  ['a bare name that one provider lacks', listed, 'gpt-4o-2024-08-06', ['openai: gpt-4o-2024-08-06', 'relay: openai/gpt-4o']],
  ['a bare name after a tolerated prefix', listed, 'models/gpt-4o-2024-08-06', ['openai: gpt-4o-2024-08-06', 'relay: openai/gpt-4o']],
  ['an id of a relay with the prefix of another host', listed, 'relay/azure/gpt-4o', ['relay: azure/gpt-4o']],
  ['an id of a relay with prefix and date', listed, 'relay/openai/gpt-4o-2024-05-13', ['relay: openai/gpt-4o-2024-05-13']],
  ['a name without a date stays one name', listed, 'gpt-4o', ['openai: gpt-4o', 'relay: openai/gpt-4o']],
  ['a target of a route, without a list', unlisted, 'pinned', ['openai: gpt-4o-2024-05-13']],
  ['another snapshot than the one of the route, without a list', unlisted, 'openai/gpt-4o-2024-08-06', ['openai: gpt-4o-2024-08-06']],
  ['a bare snapshot, without a list', unlisted, 'gpt-4o-2024-08-06', ['openai: gpt-4o-2024-08-06']],
  ['no snapshot where none was asked for, without a list', unlisted, 'openai/gpt-4o', ['openai: gpt-4o']],
  ['no snapshot for a bare name without a date, without a list', unlisted, 'gpt-4o', ['openai: gpt-4o']],
  ['a prefix and a date at a relay without a list', { endpoints: { relay } }, 'relay/openai/gpt-4o-2024-05-13', ['relay: openai/gpt-4o-2024-05-13']],
  ['the case of a deployment', { endpoints: { azure: { provider: 'azure', baseUrl: 'https://r.openai.azure.com' } } }, 'azure/Team-GPT', ['azure: Team-GPT']],
  ['a deployment whose name has a date', { endpoints: { azure: { provider: 'azure', baseUrl: 'https://r.openai.azure.com', models: { 'gpt-4o-2024-05-13': {} } } } }, 'azure/gpt-4o', ['azure: gpt-4o-2024-05-13']],
  ['an upstream name of settings for each of two snapshots', { endpoints: { relay: { ...relay, models: { 'gpt-4o-2024-05-13': { upstream: 'may' }, 'gpt-4o': { upstream: 'newest' } } } } }, 'relay/gpt-4o-2024-05-13', ['relay: may']],
  ['the upstream name of settings for the name without a date', { endpoints: { relay: { ...relay, models: { 'gpt-4o-2024-05-13': { upstream: 'may' }, 'gpt-4o': { upstream: 'newest' } } } } }, 'relay/gpt-4o', ['relay: newest']],
  ['an older snapshot, with the date as each provider writes it', claude, 'claude-sonnet-4-5-20250929', ['anthropic: claude-sonnet-4-5-20250929', 'vertex: claude-sonnet-4-5@20250929']],
  ['a date after @, with the date as each provider writes it', claude, 'claude-sonnet-4-5@20251120', ['anthropic: claude-sonnet-4-5-20251120', 'vertex: claude-sonnet-4-5@20251120']],
  ['a Claude without a date', claude, 'claude-sonnet-4.5', ['anthropic: claude-sonnet-4-5', 'vertex: claude-sonnet-4-5@20251120']],
  ['a Claude snapshot of a route as its only name', { endpoints: { vertex: { provider: 'vertex' } }, routes: { r: { targets: ['vertex/claude-sonnet-4@20250514'] } } }, 'claude-sonnet-4', ['vertex: claude-sonnet-4@20250514']],
  ['a bare Claude snapshot at Vertex AI without a list', { endpoints: { vertex: { provider: 'vertex', models: { 'claude-sonnet-4.5': {} } } } }, 'claude-sonnet-4-5-20250929', ['vertex: claude-sonnet-4-5@20250929']],
  ['an alias for a snapshot', { ...listed, aliases: { may: 'gpt-4o-2024-05-13' } }, 'may', ['openai: gpt-4o-2024-05-13', 'relay: openai/gpt-4o-2024-05-13']],
  ['-latest, which is an id', { endpoints: { relay }, lists: { relay: ['mistral-large-latest', 'mistral-large-2512'] } }, 'relay/mistral-large-latest', ['relay: mistral-large-latest']],
  ['a tag', { endpoints: { ollama: { provider: 'ollama' } }, lists: { ollama: ['llama3.2:latest', 'llama3.2:3b'] } }, 'ollama/llama3.2:3b', ['ollama: llama3.2:3b']],
  ['the tag :latest', { endpoints: { ollama: { provider: 'ollama' } } }, 'ollama/llama3.2:latest', ['ollama: llama3.2:latest']],
];

describe('an id that is written out reaches the provider as it stands:', () => {
  for (const [title, setup, name, expected] of cases) test(`${title} (${name})`, () => assert.deepEqual(sent(setup, name), expected));
});

test('a snapshot has a target of its own, so that health and receipts tell it from the model, and lists keep one name', () => {
  const { table, directory } = tableOf(listed);
  assert.deepEqual(table.targetsOfRoute('pinned')?.map(one => one.name), ['openai/gpt-4o-2024-05-13', 'openai/gpt-4o-2024-08-06', 'openai/gpt-4o']);
  assert.equal(table.target('openai', 'gpt-4o-2024-05-13')?.upstreamModel, 'gpt-4o-2024-05-13');
  assert.deepEqual(directory.modelsOf('openai'), ['gpt-4o']);
});

test('a snapshot has its own price, and settings of its model hold for it', async () => {
  const pricer = createPricer({ log: silentLog });
  await pricer.ready();
  const { table } = tableOf(listed);
  const cost = (model: string): number | undefined => {
    const price = table.target('openai', model)?.price ?? assert.fail(model);
    return pricer.priceAttempt({ ...price, usage: { inputTokens: 1_000_000, outputTokens: 0 }, usageEstimated: false, at: Date.UTC(2026, 10, 1) }).microUsd;
  };
  assert.deepEqual([cost('gpt-4o-2024-05-13'), cost('gpt-4o')], [5_000_000, 2_500_000]);
  const priced = tableOf({ endpoints: { relay: { ...relay, models: { 'gpt-4o': { prices: { inputPerMTok: 7, outputPerMTok: 7 } } } } } });
  assert.equal(priced.table.namedTarget('relay', 'gpt-4o-2024-05-13')?.price.configPrices?.inputPerMTok, 7);
});
