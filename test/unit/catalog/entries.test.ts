import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { protocolNames, type ConversationRequest, type ProtocolName } from '../../../server/api/conversation.ts';
import { foreignKeyVendor, vendorOfKey } from '../../../server/api/keyShapes.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { ownBaseUrl, ownBaseUrls } from '../../../server/catalog/doors.ts';
import { chatUrl, modelsAddress, probeAddress } from '../../../server/catalog/paths.ts';
import type { FactSubject, Provider } from '../../../server/catalog/provider.ts';
import * as catalog from '../../../server/catalog/providers.ts';
import { resolveConfig } from '../../../server/config/resolve.ts';
import { sentBody } from '../exchange/attempt/sentBody.ts';
import { dialectRefusals } from './dialectRefusals.ts';

/*
 * One table over all entries: what is true of every provider that people can choose.
 */

const entries = catalog.providers.filter(({ id, simulated }) => id !== 'sandbox' && simulated !== true);
const find = (id: string): Provider => catalog.findProvider(id) ?? assert.fail(id);
const long = 'Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z';

/** Settings with which an endpoint of the provider can be configured. */
function settingsOf({ id, baseUrls, baseUrlExample }: Provider): Record<string, unknown> {
  return { provider: id, ...(Object.keys(baseUrls).length === 0 ? { baseUrl: (baseUrlExample ?? 'http://127.0.0.1:8000/v1').replace('ACCOUNT_ID', 'a1') } : {}), ...(id === 'vertex' ? { project: 'p-1' } : {}) };
}

function resolved(settings: Record<string, unknown>) {
  const { config, problems } = resolveConfig({ endpoints: { it: settings }, routes: {} }, { catalog, supportedProtocols: protocolNames, source: 'file' });
  assert.deepEqual(problems, []);
  return config.endpoints.get('it') ?? assert.fail();
}

/** A key of each vendor whose keys have a shape of their own. */
const keys: Readonly<Record<string, string>> = {
  openai: `sk-proj-${long}`, anthropic: `sk-ant-api03-${long}`, gemini: `AIza${long}abc`, openrouter: `sk-or-v1-${long}`, groq: `gsk_${long}`, xai: `xai-${long}`,
  deepseek: 'sk-0123456789abcdef0123456789abcdef', moonshot: `sk-${long}${long.slice(0, 16)}`, qwen: 'sk-0123456789abcdef0123456789abcdef',
  zai: '0123456789abcdef0123456789abcdef.AbCdEfGhIjKlMnOp', 'zai-coding-plan': '0123456789abcdef0123456789abcdef.AbCdEfGhIjKlMnOp',
  perplexity: `pplx-${long}`, together: `tgp_v1_${long}`, fireworks: `fw_${long}`, cerebras: `csk-${long}`, nvidia: `nvapi-${long}`, huggingface: `hf_${long}`, waybill: `waybill-${long}`, bedrock: `ABSK${long}${long}`,
};

describe('the keys of', () => {
  for (const provider of entries.filter(({ id }) => id in keys)) test(`${provider.id} are recognised, and are no other vendor's at its address`, () => {
    const key = keys[provider.id] ?? assert.fail();
    assert.ok(vendorOfKey(key)?.providers.includes(provider.id));
    assert.equal(foreignKeyVendor(key, provider.id), undefined);
    if (provider.keyPattern !== undefined) assert.match(key, new RegExp(provider.keyPattern));
  });

  for (const provider of entries.filter(({ id, keyPattern }) => keyPattern !== undefined && id !== 'vertex')) {
    test(`${provider.id} have an example here, because their shape is known`, () => assert.ok(provider.id in keys));
  }

  test('GitHub are recognised and taken by no provider, since GitHub Models has ended', () => assert.deepEqual(vendorOfKey(`ghp_${long}`)?.providers, []));
});

/** The chat calls of the providers that run open models, and of servers of one's own. */
const doors: readonly (readonly [settings: Record<string, unknown>, protocol: ProtocolName, url: string])[] = [
  [{ provider: 'zai' }, 'openai-chat', 'https://api.z.ai/api/paas/v4/chat/completions'],
  [{ provider: 'zai' }, 'anthropic-messages', 'https://api.z.ai/api/anthropic/v1/messages'],
  [{ provider: 'zai', region: 'intl' }, 'anthropic-messages', 'https://api.z.ai/api/anthropic/v1/messages'],
  [{ provider: 'zai', region: 'cn' }, 'openai-chat', 'https://open.bigmodel.cn/api/paas/v4/chat/completions'],
  [{ provider: 'zai-coding-plan' }, 'openai-chat', 'https://api.z.ai/api/coding/paas/v4/chat/completions'],
  [{ provider: 'zai-coding-plan' }, 'openai-responses', 'https://api.z.ai/api/v1/responses'],
  [{ provider: 'qwen' }, 'openai-chat', 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions'],
  [{ provider: 'qwen', region: 'us' }, 'anthropic-messages', 'https://dashscope-us.aliyuncs.com/apps/anthropic/v1/messages'],
  [{ provider: 'qwen', region: 'cn' }, 'anthropic-messages', 'https://dashscope.aliyuncs.com/apps/anthropic/v1/messages'],
  [{ provider: 'minimax' }, 'anthropic-messages', 'https://api.minimax.io/anthropic/v1/messages'],
  [{ provider: 'minimax', region: 'cn' }, 'openai-responses', 'https://api.minimaxi.com/v1/responses'],
  [{ provider: 'perplexity' }, 'openai-responses', 'https://api.perplexity.ai/v1/responses'],
  [{ provider: 'together' }, 'openai-responses', 'https://api.together.ai/v1/responses'],
  [{ provider: 'fireworks' }, 'anthropic-messages', 'https://api.fireworks.ai/inference/v1/messages'],
  [{ provider: 'fireworks' }, 'openai-chat', 'https://api.fireworks.ai/inference/v1/chat/completions'],
  [{ provider: 'cerebras' }, 'openai-chat', 'https://api.cerebras.ai/v1/chat/completions'],
  [{ provider: 'sambanova' }, 'anthropic-messages', 'https://api.sambanova.ai/v1/messages'],
  [{ provider: 'nvidia' }, 'openai-chat', 'https://integrate.api.nvidia.com/v1/chat/completions'],
  [{ provider: 'huggingface' }, 'openai-responses', 'https://router.huggingface.co/v1/responses'],
  [{ provider: 'cloudflare', baseUrl: 'https://api.cloudflare.com/client/v4/accounts/a1/ai/v1' }, 'openai-chat', 'https://api.cloudflare.com/client/v4/accounts/a1/ai/v1/chat/completions'],
  [{ provider: 'deepinfra' }, 'openai-chat', 'https://api.deepinfra.com/v1/openai/chat/completions'],
  [{ provider: 'siliconflow', region: 'cn' }, 'anthropic-messages', 'https://api.siliconflow.cn/v1/messages'],
  [{ provider: 'vllm' }, 'anthropic-messages', 'http://127.0.0.1:8000/v1/messages'],
  [{ provider: 'llamacpp' }, 'openai-responses', 'http://127.0.0.1:8080/v1/responses'],
  [{ provider: 'sglang' }, 'anthropic-messages', 'http://127.0.0.1:30000/v1/messages'],
  [{ provider: 'litellm', baseUrl: 'https://llm.example.com' }, 'anthropic-messages', 'https://llm.example.com/v1/messages'],
  [{ provider: 'waybill', baseUrl: 'http://127.0.0.1:7717/v1' }, 'gemini', 'http://127.0.0.1:7717/v1/models/m:generateContent'],
];

describe('a call in a protocol that the user chose goes to', () => {
  for (const [settings, protocol, url] of doors) test(`${url} for ${JSON.stringify(settings)}`, () => {
    const endpoint = resolved({ ...settings, protocol });
    assert.equal(chatUrl(endpoint, 'm', false), url);
    assert.ok(URL.canParse(probeAddress(endpoint).url));
  });

  test('the region also for the list of models and the probe', () => {
    const endpoint = resolved({ provider: 'qwen', region: 'us', protocol: 'anthropic-messages' });
    assert.equal(modelsAddress(endpoint)?.url, 'https://dashscope-us.aliyuncs.com/compatible-mode/v1/models');
    assert.equal(probeAddress(endpoint).url, 'https://dashscope-us.aliyuncs.com/compatible-mode/v1/models');
  });

  test('nowhere in a region where the address is not known', () => {
    const { problems } = resolveConfig({ endpoints: { it: { provider: 'zai', region: 'cn', protocol: 'anthropic-messages' } }, routes: {} }, { catalog, supportedProtocols: protocolNames, source: 'file' });
    assert.match(problems[0]?.message ?? '', /the address of region "cn" for protocol "anthropic-messages" is not known/);
  });

  test('the protocol whose address was written, also in a region', () => {
    assert.equal(resolved({ provider: 'qwen', baseUrl: 'https://dashscope-us.aliyuncs.com/apps/anthropic' }).protocol, 'anthropic-messages');
    assert.equal(resolved({ provider: 'qwen', baseUrl: 'https://dashscope.aliyuncs.com/compatible-mode/v1' }).protocol, 'openai-chat');
  });
});

describe('a caller of Messages reaches the address for it', () => {
  const messages: JsonObject = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] };
  const cases: readonly (readonly [settings: Record<string, unknown>, model: string, url: string])[] = [
    [{ provider: 'zai' }, 'glm-5.2', 'https://api.z.ai/api/anthropic/v1/messages'],
    [{ provider: 'qwen', region: 'us' }, 'qwen3.7-plus', 'https://dashscope-us.aliyuncs.com/apps/anthropic/v1/messages'],
    [{ provider: 'qwen' }, 'kimi-k2.6', 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions'],
    [{ provider: 'minimax' }, 'minimax-m3', 'https://api.minimax.io/anthropic/v1/messages'],
    [{ provider: 'zai', region: 'cn' }, 'glm-5.2', 'https://open.bigmodel.cn/api/paas/v4/chat/completions'],
    [{ provider: 'fireworks' }, 'kimi-k3', 'https://api.fireworks.ai/inference/v1/chat/completions'],
    [{ provider: 'vllm' }, 'qwen', 'http://127.0.0.1:8000/v1/chat/completions'],
    [{ provider: 'litellm', baseUrl: 'https://llm.example.com/v1' }, 'claude-sonnet-5.5', 'https://llm.example.com/v1/messages'],
    [{ provider: 'litellm', baseUrl: 'https://llm.example.com/v1' }, 'gpt-4.1', 'https://llm.example.com/v1/chat/completions'],
    [{ provider: 'waybill', baseUrl: 'http://127.0.0.1:7717/v1' }, 'default', 'http://127.0.0.1:7717/v1/messages'],
    [{ provider: 'waybill', baseUrl: 'http://127.0.0.1:7717' }, 'default', 'http://127.0.0.1:7717/v1/messages'],
  ];
  for (const [settings, model, url] of cases) test(`${url}, for ${model}`, () => assert.equal(sentBody(settings, model, { protocol: 'anthropic-messages', body: messages }).url, url));

  test('and so do callers of Gemini and Responses at another Waybill, with their bytes', () => {
    const settings = { provider: 'waybill', baseUrl: 'http://127.0.0.1:7717/v1' };
    const gemini = sentBody(settings, 'default', { protocol: 'gemini', body: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] } });
    const responses = sentBody(settings, 'default', { protocol: 'openai-responses', body: { model: 'm', input: 'hi' } });
    assert.deepEqual([gemini.url, gemini.passThrough, responses.url, responses.passThrough], ['http://127.0.0.1:7717/v1/models/default:generateContent', true, 'http://127.0.0.1:7717/v1/responses', true]);
  });
});

/** Rules that are known from error texts only; `undocumented` of the entry says so. */
const fromErrorTexts: Readonly<Record<string, readonly string[]>> = {
  mistral: ['shortCallIds', 'toolNames', 'noEmptyAssistant', 'highestTemperature', 'documents'], codestral: ['shortCallIds', 'toolNames', 'noEmptyAssistant', 'highestTemperature', 'documents'],
  moonshot: ['noEmptyAssistant', 'documents'], xai: ['imageTypes', 'errors', 'documents'],
  openai: ['documents'], azure: ['documents'], openrouter: ['documents'], holysheep: ['documents'], litellm: ['documents'], groq: ['documents'], lmstudio: ['documents'], vllm: ['documents'],
};

describe('an entry says where its facts stand:', () => {
  for (const provider of entries.filter(({ sources }) => sources !== undefined)) test(provider.id, () => {
    const { sources = [], dialect, errorRules = [] } = provider;
    const told = new Set<FactSubject>(sources.flatMap(({ of }) => of));
    const borrowed = entries.find(other => other !== provider && other.dialect === dialect)?.sources ?? [];
    for (const { of } of borrowed) for (const subject of of) told.add(subject);
    // The name of the output limit that every server knows, and the name under which reasoning is read anyway, are no refusals.
    const needed = [...Object.keys(dialect).filter(field => field !== 'maxTokensField' && field !== 'reasoningField' && field !== 'customTools' && field !== 'maxTokensFieldOnly'), ...(errorRules.length > 1 ? ['errors'] : []), ...(ownBaseUrls(provider).length > 0 ? ['address'] : [])];
    const remembered = fromErrorTexts[provider.id] ?? [];
    assert.ok(remembered.length === 0 || (provider.undocumented ?? []).length > 0);
    assert.deepEqual(needed.filter(subject => !told.has(subject as FactSubject) && !remembered.includes(subject)), []);
    for (const { url, read } of sources) {
      assert.match(url, /^https:\/\//);
      assert.match(read, /^20\d\d-\d\d-\d\d$/);
    }
  });
});

const schema: JsonObject = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] };
const callId = `functions.read:${'0'.repeat(50)}`;

/** A request of an agent, with what one provider or another refuses, in each protocol of a caller. */
const requests: Readonly<Record<ProtocolName, JsonObject>> = {
  'openai-chat': {
    model: 'm', max_completion_tokens: 100, temperature: 1.7, top_p: 0.9, n: 1, seed: 7, stop: ['A', 'B', 'C'], user: 'u'.repeat(80), frequency_penalty: 0.1, presence_penalty: 0.1, logit_bias: { 7: 1 },
    parallel_tool_calls: false, service_tier: 'auto', prompt_cache_key: 'k', store: false, verbosity: 'low', reasoning_effort: 'medium', tool_choice: { type: 'function', function: { name: 'read' } },
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema, strict: true } },
    tools: [{ type: 'function', function: { name: 'read', parameters: schema, strict: true } }],
    messages: [
      { role: 'developer', content: [{ type: 'text', text: 'Answer in JSON.' }] }, { role: 'user', content: 'read it' },
      { role: 'assistant', content: null, reasoning_content: 'I read.', tool_calls: [{ id: callId, type: 'function', function: { name: 'read', arguments: '{"path":"a"}' } }] },
      { role: 'tool', tool_call_id: callId, content: [{ type: 'text', text: 'found' }] }, { role: 'assistant', content: 'It is' },
    ],
  },
  'openai-responses': {
    model: 'm', max_output_tokens: 100, temperature: 0, reasoning: { effort: 'medium' }, tool_choice: 'required', parallel_tool_calls: false, user: 'u1', store: false,
    text: { format: { type: 'json_schema', name: 'a', schema, strict: true } },
    tools: [{ type: 'function', name: 'read', parameters: schema, strict: true }],
    input: [
      { type: 'message', role: 'developer', content: 'Answer in JSON.' }, { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'read it' }] },
      { type: 'function_call', call_id: callId, name: 'read', arguments: '{"path":"a"}' }, { type: 'function_call_output', call_id: callId, output: 'found' },
    ],
  },
  'anthropic-messages': {
    model: 'm', max_tokens: 100, temperature: 1, stop_sequences: ['A', 'B', 'C', 'D', 'E'], metadata: { user_id: 'u'.repeat(80) }, tool_choice: { type: 'any', disable_parallel_tool_use: true },
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    tools: [{ name: 'read', input_schema: schema, strict: true }],
    messages: [
      { role: 'user', content: 'read it' }, { role: 'assistant', content: [{ type: 'tool_use', id: callId, name: 'read', input: { path: 'a' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: callId, content: 'found' }] }, { role: 'assistant', content: 'It is' },
    ],
  },
  'gemini': {
    systemInstruction: { parts: [{ text: 'Answer in JSON.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'read it' }] }, { role: 'model', parts: [{ functionCall: { name: 'read', args: { path: 'a' } } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'read', response: { output: 'found' } } }] },
    ],
    tools: [{ functionDeclarations: [{ name: 'read', parametersJsonSchema: schema }] }], toolConfig: { functionCallingConfig: { mode: 'ANY' } },
    generationConfig: { temperature: 1.9, topP: 0.9, seed: 3, stopSequences: ['A', 'B', 'C'], frequencyPenalty: 0.2, presencePenalty: 0.2, maxOutputTokens: 100, responseMimeType: 'application/json', responseJsonSchema: schema },
  },
};

const ofEditor: ConversationRequest = {
  system: [{ type: 'text', text: 'Be brief.' }],
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'read it' }] }, { role: 'assistant', content: [{ type: 'tool-call', id: callId, name: 'read', arguments: '{"path":"a"}' }] },
    { role: 'user', content: [{ type: 'tool-result', callId, content: [{ type: 'text', text: 'found' }] }] },
  ],
  tools: [{ name: 'read', parameters: schema }], toolChoice: { type: 'required' }, temperature: 1.9, stop: ['A', 'B'],
};

/** Models whose names have rules of their own. */
const modelsOf: Readonly<Record<string, readonly string[]>> = { qwen: ['qwen3-32b', 'qwen3.7-plus'], cerebras: ['gpt-oss-120b'], zai: ['glm-5.2'], anthropic: ['claude-sonnet-4-6'], moonshot: ['kimi-k3'] };

describe('a request arrives in a form that the rules of the entry accept:', () => {
  for (const provider of entries) for (const caller of [...protocolNames, 'editor'] as const) test(`${caller} at ${provider.id}`, () => {
    for (const model of modelsOf[provider.id] ?? ['some-model']) for (const stream of [false, true]) {
      // Each protocol that the user can choose, and the one that is chosen for the caller.
      for (const protocol of [undefined, ...Object.keys(provider.baseUrls).filter(name => name !== provider.protocol)]) {
        const settings = { ...settingsOf(provider), ...(protocol === undefined ? {} : { protocol }) };
        const asked = caller === 'editor' ? ofEditor : { protocol: caller, body: stream && caller !== 'gemini' ? { ...requests[caller], stream: true } : requests[caller] };
        const sent = sentBody(settings, model, asked, stream);
        assert.deepEqual(dialectRefusals(provider, sent.protocol, model, sent.body), [], `${sent.protocol}, ${model}, ${stream ? 'streamed' : 'plain'}: ${sent.text}`);
      }
    }
  });

  test('a plain request of its own protocol goes through as its bytes', () => {
    for (const provider of entries.filter(({ protocol, addressing }) => protocol === 'openai-chat' && addressing === undefined)) {
      const body = { model: 'some-model', messages: [{ role: 'user', content: 'hi' }], max_tokens: 5 };
      const sent = sentBody(settingsOf(provider), 'some-model', { protocol: 'openai-chat', body });
      assert.deepEqual([sent.text, sent.changes], [JSON.stringify(body), []], provider.id);
    }
  });

  test('the checks of this test refuse what is not made fit', () => {
    const unfit = entries.filter(({ protocol }) => protocol === 'openai-chat').filter(provider => dialectRefusals(provider, 'openai-chat', 'qwen3-32b', requests['openai-chat']).length > 0).map(({ id }) => id);
    for (const id of ['zai', 'qwen', 'minimax', 'cerebras', 'cloudflare', 'deepseek', 'moonshot', 'mistral']) assert.ok(unfit.includes(id), id);
  });
});

test('own addresses of a region are those of its protocols', () => {
  const qwen = find('qwen');
  const us = qwen.regions?.find(({ id }) => id === 'us');
  assert.equal(ownBaseUrl(qwen, 'anthropic-messages', us), 'https://dashscope-us.aliyuncs.com/apps/anthropic');
  assert.equal(ownBaseUrl(qwen, 'gemini', us), undefined);
});

test('prices of another region are not known', () => {
  assert.equal(resolved({ provider: 'zai' }).provider.pricesId, 'zai');
  assert.equal(resolved({ provider: 'zai', region: 'cn' }).provider.pricesId, undefined);
  assert.equal(resolved({ provider: 'zai', baseUrl: 'https://open.bigmodel.cn/api/paas/v4' }).provider.pricesId, undefined);
});
