import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { protocolNames } from '../../../server/api/conversation.ts';
import { silentLog } from '../../../server/base/log.ts';
import * as catalog from '../../../server/catalog/providers.ts';
import { emptyConfig, type Config } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { mergedFacts } from '../../../server/models/mergedFacts.ts';
import { ModelCache } from '../../../server/models/modelCache.ts';
import { ModelDirectory } from '../../../server/models/modelDirectory.ts';

const folder = mkdtempSync(join(tmpdir(), 'models-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function config(endpoints: Record<string, unknown>, routes: Record<string, unknown> = {}, aliases: Record<string, string> = {}): Config {
  const resolved = resolveConfig({ endpoints, routes, aliases }, { catalog, supportedProtocols: protocolNames, source: 'file' });
  assert.deepEqual(resolved.problems, []);
  return resolved.config;
}

function directory(...given: Parameters<typeof config>): ModelDirectory {
  const made = new ModelDirectory(emptyConfig);
  made.configure(config(...given));
  return made;
}

describe('the model directory', () => {
  test('knows a model by one name at every endpoint that lists it', () => {
    const models = directory({ claude: { provider: 'anthropic' }, router: { provider: 'openrouter' } });
    models.apply('claude', [{ name: 'claude-sonnet-4-5-20250929' }], 1);
    models.apply('router', [{ name: 'anthropic/claude-sonnet-4.5' }], 1);
    assert.deepEqual([models.modelsOf('claude'), models.modelsOf('router')], [['claude-sonnet-4.5'], ['claude-sonnet-4.5']]);
    assert.equal(models.upstreamName('claude', 'claude-sonnet-4.5'), 'claude-sonnet-4-5-20250929');
    assert.equal(models.upstreamName('router', 'claude-sonnet-4.5'), 'anthropic/claude-sonnet-4.5');
  });

  test("follows the user's aliases, for what is asked for and for what a provider calls a model", () => {
    const models = directory({ hs: { provider: 'holysheep' } }, {}, { 'sonnet': 'claude-sonnet-5.5', 'cs-55-turbo': 'claude-sonnet-5.5' });
    models.apply('hs', [{ name: 'cs-55-turbo', facts: { contextWindow: 500_000 } }, { name: 'gpt-5.5' }], 1);
    assert.deepEqual(models.modelsOf('hs'), ['claude-sonnet-5.5', 'gpt-5.5']);
    assert.equal(models.canonicalName('Sonnet'), 'claude-sonnet-5.5');
    assert.equal(models.canonicalName('claude-sonnet-5-5'), 'claude-sonnet-5.5');
    assert.equal(models.upstreamName('hs', 'claude-sonnet-5.5'), 'cs-55-turbo');
    assert.equal(models.listedFacts('hs', 'claude-sonnet-5.5')?.contextWindow, 500_000);
  });

  test('keeps the spelling of a deployment that a route names', () => {
    const models = directory({ azure: { provider: 'azure', baseUrl: 'https://r.openai.azure.com' } }, { best: { targets: ['azure/Team-GPT-4-1'] } });
    assert.equal(models.upstreamName('azure', models.canonicalName('Team-GPT-4-1')), 'Team-GPT-4-1');
  });

  test('spells Claude with dashes and Gemini with dots at Vertex AI', () => {
    const models = directory({ vertex: { provider: 'vertex' } });
    assert.equal(models.upstreamName('vertex', 'claude-sonnet-5.5'), 'claude-sonnet-5-5');
    assert.equal(models.upstreamName('vertex', 'gemini-2.5-pro'), 'gemini-2.5-pro');
  });

  test('keeps facts that a shorter answer does not repeat, and drops models that are gone', () => {
    const models = directory({ ollama: { provider: 'ollama' } });
    models.apply('ollama', [{ name: 'qwen3', facts: { contextWindow: 8192 } }, { name: 'old' }], 1);
    models.apply('ollama', [{ name: 'qwen3' }], 2);
    assert.deepEqual(models.listed('ollama'), ['qwen3']);
    assert.equal(models.listedFacts('ollama', 'qwen3')?.contextWindow, 8192);
  });

  test('forgets a list when the endpoint moves', () => {
    const models = directory({ relay: { provider: 'openai-compatible', baseUrl: 'https://a.example' } });
    models.apply('relay', [{ name: 'x' }], 1);
    models.configure(config({ relay: { provider: 'openai-compatible', baseUrl: 'https://b.example' } }));
    assert.equal(models.listed('relay'), undefined);
  });
});

describe('model lists on disk', () => {
  const endpoints = { relay: { provider: 'openai-compatible', baseUrl: 'https://a.example' } };

  test('are there again after a restart, with their time', () => {
    const file = join(folder, 'restart', 'models.json');
    const first = new ModelDirectory(emptyConfig, { cache: new ModelCache(file), log: silentLog });
    first.configure(config(endpoints));
    first.apply('relay', [{ name: 'x', facts: { contextWindow: 1000, prices: { inputPerMTok: 1, outputPerMTok: 2 } } }], 5000);
    const second = new ModelDirectory(emptyConfig, { cache: new ModelCache(file), log: silentLog });
    second.configure(config(endpoints));
    assert.deepEqual(second.listed('relay'), ['x']);
    assert.equal(second.listedAt('relay'), 5000);
    assert.deepEqual(second.listedFacts('relay', 'x'), { contextWindow: 1000, prices: { inputPerMTok: 1, outputPerMTok: 2 } });
    assert.deepEqual(readdirSync(join(folder, 'restart')), ['models.json']);
  });

  test('of another address do not count', () => {
    const file = join(folder, 'moved.json');
    new ModelCache(file).write('relay', { baseUrl: 'https://elsewhere.example', at: 1, models: [{ name: 'x' }] });
    const models = new ModelDirectory(emptyConfig, { cache: new ModelCache(file), log: silentLog });
    models.configure(config(endpoints));
    assert.equal(models.listed('relay'), undefined);
  });

  test('of several peers are kept side by side', () => {
    const file = join(folder, 'shared.json');
    new ModelCache(file).write('a', { baseUrl: 'https://a.example', at: 1, models: [{ name: 'x' }] });
    new ModelCache(file).write('b', { baseUrl: 'https://b.example', at: 2, models: [{ name: 'y' }] });
    assert.deepEqual([...new ModelCache(file).read().keys()], ['a', 'b']);
  });

  test('that are broken count as none', () => {
    const file = join(folder, 'broken.json');
    for (const text of ['', '{', '[]', '{"version":2,"endpoints":{}}', '{"version":1,"endpoints":{"a":{"models":3},"b":null}}']) {
      writeFileSync(file, text);
      assert.equal(new ModelCache(file).read().size, 0, text);
    }
  });
});

describe('a list on disk that was changed by hand', () => {
  const file = join(folder, 'changed.json');
  const factsRead = (facts: string): unknown => {
    writeFileSync(file, `{"version":1,"endpoints":{"a":{"baseUrl":"https://a.example","at":1,"models":[{"name":"m","facts":${facts}}]}}}`);
    return new ModelCache(file).read().get('a')?.models;
  };

  for (const price of ['{}', '"word"', 'null', '1e999', '-1', '1e300', '[]']) {
    test(`has no prices where one is ${price}`, () => {
      assert.deepEqual(factsRead(`{"prices":{"inputPerMTok":${price},"outputPerMTok":1}}`), [{ name: 'm' }]);
      assert.deepEqual(factsRead(`{"prices":{"inputPerMTok":1,"outputPerMTok":1,"cacheReadPerMTok":${price}}}`), [{ name: 'm', facts: { prices: { inputPerMTok: 1, outputPerMTok: 1 } } }]);
      assert.deepEqual(factsRead(`{"prices":${price}}`), [{ name: 'm' }]);
    });
  }

  test('has no other facts than a provider may state', () => {
    assert.deepEqual(factsRead('{"contextWindow":1e300,"maxOutputTokens":"9","tools":"yes","images":1,"documents":null,"jsonSchema":true,"__proto__":{"thinking":true},"more":1}'),
      [{ name: 'm', facts: { jsonSchema: true } }]);
  });

  test('has names, times and numbers within bounds', () => {
    const models = JSON.stringify([...Array.from({ length: 20_000 }, (_, index) => ({ name: `m-${index}` }))]);
    const entry = (at: string, list: string): string => `{"baseUrl":"https://a.example","at":${at},"models":${list}}`;
    writeFileSync(file, `{"version":1,"endpoints":{"long":${entry('1', models)},"late":${entry('1e300', '[]')},"early":${entry('-1', '[]')},"odd":${entry('1', '[{"name":"a\\nb"},{"name":""},{"name":7},null,{"name":"ok"}]')}}}`);
    const read = new ModelCache(file).read();
    assert.deepEqual([...read].map(([name, list]) => [name, list.models.length]), [['long', 10_000], ['odd', 1]]);
  });
});

test('the lists on disk are bounded together: those written last are kept', () => {
  const file = join(folder, 'many.json');
  const models = Array.from({ length: 10_000 }, (_, index) => ({ name: `m-${index}`, facts: { contextWindow: 1_000 } }));
  for (let index = 0; index < 6; index += 1) new ModelCache(file).write(`e-${index}`, { baseUrl: 'https://a.example', at: index, models });
  assert.deepEqual([...new ModelCache(file).read().keys()], ['e-2', 'e-3', 'e-4', 'e-5']);
});

test("of the sources of a fact the user's word wins, then the provider's list, then our table", () => {
  const known = { contextWindow: 3, maxOutputTokens: 3, tools: false, images: false };
  const facts = mergedFacts({ contextWindow: 1 }, { contextWindow: 2, maxOutputTokens: 2, tools: true }, known);
  assert.deepEqual([facts.contextWindow, facts.maxOutputTokens, facts.tools, facts.images, facts.thinking], [1, 2, true, false, undefined]);
});
