import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { protocolNames } from '../../../server/api/conversation.ts';
import * as catalog from '../../../server/catalog/providers.ts';
import { chatUrl, modelsAddress, probeAddress } from '../../../server/catalog/paths.ts';
import type { EndpointConfig } from '../../../server/config/config.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { chooseProtocol, protocolsOf, type ProtocolRequest } from '../../../server/routing/chooseProtocol.ts';

function resolve(settings: Record<string, unknown>, supportedProtocols: readonly (typeof protocolNames)[number][] = protocolNames): { endpoint: EndpointConfig | undefined; said: string[] } {
  const { config, problems } = resolveConfig({ endpoints: { it: settings }, routes: {} }, { catalog, supportedProtocols, source: 'file' });
  return { endpoint: config.endpoints.get('it'), said: problems.map(problem => problem.message) };
}

function only(settings: Record<string, unknown>, supportedProtocols?: readonly (typeof protocolNames)[number][]): EndpointConfig {
  const { endpoint, said } = resolve(settings, supportedProtocols);
  assert.deepEqual(said, []);
  return endpoint ?? assert.fail();
}

type Ask = ProtocolRequest & { model: string; upstreamModel?: string };

/** The endpoint as a request for one model is sent to it. */
function spokenTo(endpoint: EndpointConfig, { model, upstreamModel, ...request }: Ask): EndpointConfig {
  return chooseProtocol(protocolsOf(endpoint, model, upstreamModel), request);
}

describe('Vertex AI is called', () => {
  const cases: readonly (readonly [title: string, settings: Record<string, unknown>, model: string, stream: boolean, url: string])[] = [
    ['at the global host when no location is given', { project: 'p-1' }, 'gemini-2.5-pro', false,
      'https://aiplatform.googleapis.com/v1/projects/p-1/locations/global/publishers/google/models/gemini-2.5-pro:generateContent'],
    ['at the host of a region, as a stream', { project: 'p-1', location: 'europe-west4' }, 'gemini-2.5-pro', true,
      'https://europe-west4-aiplatform.googleapis.com/v1/projects/p-1/locations/europe-west4/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse'],
    ['at the host of a multi-region', { project: 'p-1', region: 'eu' }, 'gemini-4-argon', false,
      'https://aiplatform.eu.rep.googleapis.com/v1/projects/p-1/locations/eu/publishers/google/models/gemini-4-argon:generateContent'],
    ["with Claude's own call for Claude", { project: 'p-1', location: 'us-east5' }, 'claude-haiku-4-5@20251001', false,
      'https://us-east5-aiplatform.googleapis.com/v1/projects/p-1/locations/us-east5/publishers/anthropic/models/claude-haiku-4-5@20251001:rawPredict'],
    ["with Claude's own call for a stream of Claude's", { project: 'p-1' }, 'claude-sonnet-5-5', true,
      'https://aiplatform.googleapis.com/v1/projects/p-1/locations/global/publishers/anthropic/models/claude-sonnet-5-5:streamRawPredict'],
    ['with a place kept for the project of the credential', {}, 'gemini-2.5-pro', false,
      'https://aiplatform.googleapis.com/v1/projects/{project}/locations/global/publishers/google/models/gemini-2.5-pro:generateContent'],
    ['at an address of the user', { project: 'p-1', baseUrl: 'https://google.gateway.example/' }, 'gemini-2.5-pro', false,
      'https://google.gateway.example/v1/projects/p-1/locations/global/publishers/google/models/gemini-2.5-pro:generateContent'],
    ['through its OpenAI-compatible call where that is wanted', { project: 'p-1', protocol: 'openai-chat' }, 'gemini-2.5-pro', false,
      'https://aiplatform.googleapis.com/v1/projects/p-1/locations/global/endpoints/openapi/chat/completions'],
  ];
  for (const [title, settings, model, stream, url] of cases) {
    test(title, () => {
      const endpoint = spokenTo(only({ provider: 'vertex', ...settings }), { model, tools: false });
      assert.equal(chatUrl(endpoint, model, stream), url);
    });
  }

  test('for its list of models at the root of its host', () => {
    const endpoint = only({ provider: 'vertex', location: 'us' });
    assert.equal(probeAddress(endpoint).url, 'https://aiplatform.us.rep.googleapis.com/v1beta1/publishers/google/models?pageSize=1');
    assert.equal(modelsAddress(endpoint)?.url, 'https://aiplatform.us.rep.googleapis.com/v1beta1/publishers/google/models?pageSize=200');
  });

  test('only at locations and for projects that can be', () => {
    assert.deepEqual(resolve({ provider: 'vertex', location: 'evil.example/' }).said, ['Endpoint "it" is left out: "location" must be "global", a multi-region such as "eu", or a region such as "europe-west4".']);
    assert.deepEqual(resolve({ provider: 'vertex', project: 'a/b' }).said, ['Endpoint "it" is left out: "project" must be the ID of a Google Cloud project, such as "my-project-123".']);
    assert.deepEqual(resolve({ provider: 'openai', project: 'p-1' }).said, ['Endpoint "it" is left out: "project" means nothing to provider "openai".']);
  });
});

describe('Azure OpenAI is called', () => {
  const cases: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ['at the address without a version', { baseUrl: 'https://res.openai.azure.com/openai/v1' }, 'https://res.openai.azure.com/openai/v1/chat/completions'],
    ['there also when only the resource is given', { baseUrl: 'https://res.openai.azure.com/' }, 'https://res.openai.azure.com/openai/v1/chat/completions'],
    ['by deployment with a dated version', { baseUrl: 'https://res.openai.azure.com', apiVersion: '2024-10-21' }, 'https://res.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21'],
    ['by deployment also when the other address is given', { baseUrl: 'https://res.openai.azure.com/openai/v1', apiVersion: '2025-04-01-preview' }, 'https://res.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2025-04-01-preview'],
  ];
  for (const [title, settings, url] of cases) {
    test(title, () => assert.equal(chatUrl(only({ provider: 'azure', ...settings }), 'my-gpt', true), url));
  }

  test('for its probe with the version, and never for a list, which does not name deployments', () => {
    const endpoint = only({ provider: 'azure', baseUrl: 'https://res.openai.azure.com', apiVersion: '2024-10-21' });
    assert.equal(probeAddress(endpoint).url, 'https://res.openai.azure.com/openai/models?api-version=2024-10-21');
    assert.equal(modelsAddress(endpoint)?.url, undefined);
  });

  test('only with an address, and with a version that is one', () => {
    assert.deepEqual(resolve({ provider: 'azure' }).said, ['Endpoint "it" is left out: provider "azure" needs a "baseUrl", such as "https://my-resource.openai.azure.com/openai/v1".']);
    assert.deepEqual(resolve({ provider: 'azure', baseUrl: 'https://r.example', apiVersion: 'latest' }).said, ['Endpoint "it" is left out: "apiVersion" must be a date, such as "2024-10-21" or "2025-04-01-preview".']);
  });
});

describe('a target is spoken to in', () => {
  const plain: Ask = { model: 'gpt-4.1', tools: false, caller: 'openai-chat' };
  const cases: readonly (readonly [title: string, settings: Record<string, unknown>, ask: Partial<Ask>, protocol: string])[] = [
    ['chat for a model that is fine there', { provider: 'openai' }, { tools: true }, 'openai-chat'],
    ['responses for tools with a model that refuses them on chat', { provider: 'openai' }, { model: 'gpt-6.1-sol', tools: true }, 'openai-responses'],
    ['responses for such a model known by its dated name', { provider: 'openai' }, { model: 'gpt-5.6-terra', upstreamModel: 'gpt-5.6-terra-2026-07-30', tools: true }, 'openai-responses'],
    ['chat for such a model without tools', { provider: 'openai' }, { model: 'gpt-6.1-sol' }, 'openai-chat'],
    ['chat for such a model when the caller turned reasoning off', { provider: 'openai' }, { model: 'gpt-6-sol', tools: true, reasoningOff: true }, 'openai-chat'],
    ['chat for GPT-5.5 and GPT-4.1 with tools', { provider: 'openai' }, { model: 'gpt-5.5', tools: true }, 'openai-chat'],
    ['responses for Codex, always', { provider: 'openai' }, { model: 'gpt-5.3-codex' }, 'openai-responses'],
    ['responses for a caller who speaks it', { provider: 'openai' }, { caller: 'openai-responses' }, 'openai-responses'],
    ['chat everywhere when the user says so', { provider: 'openai', protocol: 'openai-chat' }, { model: 'gpt-6.1-sol', tools: true }, 'openai-chat'],
    ["responses for tools also at the user's own address", { provider: 'openai', baseUrl: 'https://proxy.example/v1' }, { model: 'gpt-6-luna', tools: true }, 'openai-responses'],
    ["chat for a caller of responses at the user's own address, which may know only chat", { provider: 'openai', baseUrl: 'https://proxy.example/v1' }, { caller: 'openai-responses' }, 'openai-chat'],
    ['responses at Azure for tools', { provider: 'azure', baseUrl: 'https://r.openai.azure.com' }, { model: 'gpt-6-sol', tools: true }, 'openai-responses'],
    ['chat at a dated address of Azure, which has nothing else', { provider: 'azure', baseUrl: 'https://r.openai.azure.com', apiVersion: '2024-10-21' }, { model: 'gpt-6-sol', tools: true }, 'openai-chat'],
    ["responses at xAI for callers of neither of its protocols", { provider: 'xai' }, { model: 'grok-4.7', caller: 'anthropic-messages' }, 'openai-responses'],
    ['chat at xAI for a caller of chat', { provider: 'xai' }, { model: 'grok-4.7' }, 'openai-chat'],
    ['chat at a region of xAI for a caller of chat', { provider: 'xai', region: 'us' }, { model: 'grok-4.7' }, 'openai-chat'],
    ["Anthropic's protocol at HolySheep for a caller of it who wants Claude", { provider: 'holysheep' }, { model: 'claude-sonnet-4.6', caller: 'anthropic-messages' }, 'anthropic-messages'],
    ['chat at HolySheep for a caller of the other who wants another model', { provider: 'holysheep' }, { model: 'gpt-5.5', caller: 'anthropic-messages' }, 'openai-chat'],
    ['chat at the address of Gemini that is made for it', { provider: 'gemini', baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai/' }, { model: 'gemini-3.8-flash' }, 'openai-chat'],
    ["Anthropic's protocol at the address of HolySheep that is made for it", { provider: 'holysheep', baseUrl: 'https://api.holysheep.ai' }, {}, 'anthropic-messages'],
    ["Google's own protocol at Gemini", { provider: 'gemini' }, { model: 'gemini-3.8-flash' }, 'gemini'],
    ['chat at Gemini where the user wants that', { provider: 'gemini', protocol: 'openai-chat' }, { model: 'gemini-3.8-flash' }, 'openai-chat'],
  ];
  for (const [title, settings, ask, protocol] of cases) {
    test(title, () => assert.equal(spokenTo(only(settings), { ...plain, ...ask }).protocol, protocol));
  }

  test('the address that belongs to the protocol', () => {
    const spoken = spokenTo(only({ provider: 'holysheep' }), { model: 'claude-sonnet-4.6', tools: false, caller: 'anthropic-messages' });
    assert.equal(chatUrl(spoken, 'claude-sonnet-4.6', true), 'https://api.holysheep.ai/v1/messages');
    const xai = spokenTo(only({ provider: 'xai', region: 'us' }), { model: 'grok-4.7', tools: false, caller: 'openai-chat' });
    assert.equal(chatUrl(xai, 'grok-4.7', true), 'https://us.api.x.ai/v1/chat/completions');
  });

  test('another of its protocols as long as its first cannot be spoken', () => {
    assert.equal(only({ provider: 'gemini' }, ['openai-chat', 'anthropic-messages']).protocol, 'openai-chat');
    assert.equal(only({ provider: 'gemini' }, ['openai-chat', 'anthropic-messages']).baseUrl, 'https://generativelanguage.googleapis.com/v1beta/openai');
    assert.equal(only({ provider: 'xai' }, ['openai-chat']).protocol, 'openai-chat');
  });

  test("the version of Anthropic's API the user chose", () => {
    assert.equal(only({ provider: 'anthropic', anthropicVersion: '2026-10-21' }).provider.dialect.anthropicVersion, '2026-10-21');
    assert.equal(only({ provider: 'anthropic' }).provider.dialect.anthropicVersion, undefined);
    assert.deepEqual(resolve({ provider: 'anthropic', anthropicVersion: '2024-01-01' }).said, ['Endpoint "it" is left out: "anthropicVersion" must be one of 2023-06-01, 2026-10-21.']);
  });
});

describe('aliases', () => {
  const resolveAliases = (aliases: unknown): { aliases: [string, string][]; said: string[] } => {
    const { config, problems } = resolveConfig(
      { endpoints: { openai: { provider: 'openai' } }, routes: { best: { targets: ['openai/gpt-4.1'] } }, aliases },
      { catalog, supportedProtocols: protocolNames, source: 'file' },
    );
    return { aliases: [...config.aliases ?? []], said: problems.map(problem => problem.message) };
  };

  test('lead to the model they stand for, also through one another', () => {
    assert.deepEqual(resolveAliases({ Sonnet: 'claude-sonnet-5.5', mine: 'sonnet' }), { aliases: [['sonnet', 'claude-sonnet-5.5'], ['mine', 'claude-sonnet-5.5']], said: [] });
  });

  test('that cannot be are left out one by one', () => {
    assert.deepEqual(resolveAliases({ 'a b': 'x', loop: 'pool', pool: 'loop', best: 'gpt-4.1', number: 3, good: 'gpt-4.1' }), {
      aliases: [['good', 'gpt-4.1']],
      said: [
        'Alias "a b" is left out: an alias is written like the name of a model, without spaces.',
        'Alias "best" is left out: a route has that name.',
        'Alias "number" is left out: it must stand for the name of a model.',
        'Alias "loop" is left out: it stands for itself.',
        'Alias "pool" is left out: it stands for itself.',
      ],
    });
    assert.deepEqual(resolveAliases(['a']).said, ['"aliases" must be a mapping of aliases to names of models.']);
  });
});
