import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findProvider as findPrices } from '@pydantic/genai-prices';
import type { ProtocolName } from '../../../server/api/conversation.ts';
import * as bedrockFile from '../../../server/catalog/bedrock.ts';
import * as clouds from '../../../server/catalog/clouds.ts';
import * as localProviders from '../../../server/catalog/localProviders.ts';
import { canonicalModelName } from '../../../server/catalog/modelNames.ts';
import { modelFacts } from '../../../server/catalog/modelFacts.ts';
import { providerOffers } from '../../../server/catalog/offers.ts';
import { chatPath, chatUrl, modelsAddress, probeAddress } from '../../../server/catalog/paths.ts';
import { findProvider, providers } from '../../../server/catalog/providers.ts';
import * as openModelClouds from '../../../server/catalog/openModelClouds.ts';
import * as ownServers from '../../../server/catalog/ownServers.ts';
import * as relays from '../../../server/catalog/relays.ts';
import * as vendors from '../../../server/catalog/vendors.ts';
import * as vendorsInChina from '../../../server/catalog/vendorsInChina.ts';

describe('the provider catalog', () => {
  test('holds each id and alias once', () => {
    const names = providers.flatMap(provider => [provider.id, ...provider.aliases ?? []]);
    assert.equal(new Set(names).size, names.length);
  });

  test('lists every provider that is described', () => {
    const described = [vendors, vendorsInChina, relays, clouds, bedrockFile, openModelClouds, localProviders, ownServers].flatMap((file): object[] => Object.values(file)).filter(value => 'baseUrls' in value);
    assert.deepEqual(new Set(described), new Set(providers));
  });

  for (const provider of providers) {
    test(`${provider.id}: addresses are https (or this machine), without a trailing slash`, () => {
      const urls = [...Object.values(provider.baseUrls), ...(provider.regions ?? []).map(region => region.baseUrl)];
      for (const url of urls) {
        assert.match(url, provider.local === true ? /^http:\/\/127\.0\.0\.1:\d+/ : /^https:\/\//);
        assert.doesNotMatch(url, /\/$/);
      }
      if (urls.length > 0) assert.ok(provider.baseUrls[provider.protocol] !== undefined, 'the default protocol has an address');
    });

    test(`${provider.id}: any name of a model makes an address, also one that is no valid text`, () => {
      for (const protocol of Object.keys(provider.baseUrls) as ProtocolName[]) {
        for (const stream of [false, true]) {
          const url = chatUrl({ provider, protocol, baseUrl: 'https://example.test', project: 'p\ud800', location: 'l\udfff', apiVersion: '\ud800' }, 'half \ud83d of a pair', stream);
          assert.ok(url.isWellFormed());
          assert.ok(URL.canParse(url.replace('{project}', 'p')));
        }
      }
    });

    test(`${provider.id}: its price library id exists`, () => {
      if (provider.pricesId !== undefined) assert.equal(findPrices({ providerId: provider.pricesId })?.id, provider.pricesId);
    });

    test(`${provider.id}: the key hint matches the key pattern, and pages are https`, () => {
      if (provider.keyPattern !== undefined) assert.match(provider.keyHint ?? '', new RegExp(provider.keyPattern));
      for (const url of [provider.keyUrl, provider.billingUrl]) if (url !== undefined) assert.match(url, /^https:\/\//);
      // A server of the user's own has no pages.
      if (provider.keyRequired && provider.id !== 'waybill') assert.ok(provider.keyUrl !== undefined && provider.billingUrl !== undefined);
    });
  }

  test('is found by id and by the names people use, in any case', () => {
    assert.equal(findProvider('openai')?.id, 'openai');
    assert.equal(findProvider('OpenAI')?.id, 'openai');
    assert.equal(findProvider('kimi')?.id, 'moonshot');
    assert.equal(findProvider('google')?.id, 'gemini');
    assert.equal(findProvider('unknown'), undefined);
  });

  test('assumes no key shape for HolySheep, whose published shapes contradict each other', () => {
    assert.equal(findProvider('holysheep')?.keyPattern, undefined);
    assert.equal(findProvider('holysheep')?.keyHint, undefined);
  });

  test('asks OpenRouter about the key, because its model list is public', () => {
    assert.deepEqual(findProvider('openrouter')?.probe, { method: 'GET', path: '/key', provesKey: true });
  });

  test('is offered in the same order, with its default address', () => {
    const offers = providerOffers();
    assert.deepEqual(offers.map(offer => offer.id), providers.filter(({ simulated }) => simulated !== true).map(provider => provider.id));
    assert.equal(offers.find(offer => offer.id === 'anthropic')?.baseUrl, 'https://api.anthropic.com');
    assert.equal(offers.find(offer => offer.id === 'openai-compatible')?.baseUrl, undefined);
    assert.deepEqual(offers.find(offer => offer.id === 'moonshot')?.regions?.map(region => region.id), ['intl', 'cn']);
  });
});

const chatUrls: readonly (readonly [ProtocolName, string, string])[] = [
  ['openai-chat', 'https://api.openai.com/v1', 'https://api.openai.com/v1/chat/completions'],
  ['openai-chat', 'https://api.deepseek.com', 'https://api.deepseek.com/chat/completions'],
  ['openai-chat', 'http://127.0.0.1:8000', 'http://127.0.0.1:8000/chat/completions'],
  ['openai-responses', 'https://api.openai.com/v1', 'https://api.openai.com/v1/responses'],
  ['anthropic-messages', 'https://api.anthropic.com', 'https://api.anthropic.com/v1/messages'],
  ['anthropic-messages', 'https://api.anthropic.com/v1', 'https://api.anthropic.com/v1/messages'],
  ['anthropic-messages', 'https://api.deepseek.com/anthropic', 'https://api.deepseek.com/anthropic/v1/messages'],
  ['anthropic-messages', 'https://openrouter.ai/api', 'https://openrouter.ai/api/v1/messages'],
  ['anthropic-messages', 'https://relay.example/rev1', 'https://relay.example/rev1/v1/messages'],
];

describe('a chat call goes to', () => {
  for (const [protocol, baseUrl, url] of chatUrls) {
    test(`${url} for ${protocol} at ${baseUrl}`, () => assert.equal(baseUrl + chatPath(protocol, baseUrl), url));
  }

  test('a path with the model in it for gemini', () => {
    assert.equal(chatPath('gemini', 'https://generativelanguage.googleapis.com', 'gemini-2.5-pro'), '/v1beta/models/gemini-2.5-pro:generateContent');
    assert.equal(chatPath('gemini', 'https://generativelanguage.googleapis.com/v1beta', 'gemini-2.5-pro', true), '/models/gemini-2.5-pro:streamGenerateContent?alt=sse');
  });
});

describe('probes and model lists', () => {
  const cases: readonly (readonly [string, ProtocolName, string, probe: string, models: string])[] = [
    ['openai', 'openai-chat', 'https://api.openai.com/v1', 'https://api.openai.com/v1/models', 'https://api.openai.com/v1/models'],
    ['anthropic', 'anthropic-messages', 'https://api.anthropic.com', 'https://api.anthropic.com/v1/models?limit=1', 'https://api.anthropic.com/v1/models?limit=1000'],
    ['anthropic', 'anthropic-messages', 'https://relay.example/v1', 'https://relay.example/v1/models?limit=1', 'https://relay.example/v1/models?limit=1000'],
    ['openrouter', 'openai-chat', 'https://openrouter.ai/api/v1', 'https://openrouter.ai/api/v1/key', 'https://openrouter.ai/api/v1/models'],
    ['openrouter', 'anthropic-messages', 'https://openrouter.ai/api', 'https://openrouter.ai/api/v1/key', 'https://openrouter.ai/api/v1/models'],
    ['deepseek', 'anthropic-messages', 'https://api.deepseek.com/anthropic', 'https://api.deepseek.com/models', 'https://api.deepseek.com/models'],
    ['holysheep', 'anthropic-messages', 'https://relay.example', 'https://relay.example/v1/models', 'https://relay.example/v1/models'],
    ['moonshot', 'openai-chat', 'https://api.moonshot.cn/v1', 'https://api.moonshot.cn/v1/models', 'https://api.moonshot.cn/v1/models'],
  ];
  for (const [id, protocol, baseUrl, probe, models] of cases) {
    test(`of ${id} at ${baseUrl} for ${protocol}`, () => {
      const provider = findProvider(id);
      assert.ok(provider !== undefined);
      assert.equal(probeAddress({ provider, protocol, baseUrl }).url, probe);
      assert.equal(modelsAddress({ provider, protocol, baseUrl })?.url, models);
    });
  }
});

describe('model facts', () => {
  test('are found under canonical names, whoever serves the model', () => {
    assert.deepEqual(modelFacts(canonicalModelName('anthropic/claude-haiku-4-5-20251001')), {
      contextWindow: 200_000, maxOutputTokens: 64_000, tools: true, images: true, thinking: true, pricing: '$1 in / $5 out per 1M',
    });
    assert.equal(modelFacts('gpt-4.1').contextWindow, 1_047_576);
    assert.equal(modelFacts(canonicalModelName('mistral-medium-3-5')).contextWindow, 262_144);
  });

  test('are absent for a model without a description', () => {
    assert.deepEqual(modelFacts('my-own-finetune'), {});
    assert.equal(modelFacts('kimi-k3').images, undefined);
  });

  test('give no price that changes with the hour', () => assert.equal(modelFacts('deepseek-v4-pro').pricing, undefined));
});
