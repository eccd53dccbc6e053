import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseModelDetails, parseModelList } from '../../../server/models/modelList.ts';

const lists: readonly (readonly [title: string, body: unknown, expected: unknown])[] = [
  ["OpenAI's, which says nothing but names", { object: 'list', data: [{ id: 'gpt-4.1', object: 'model', created: 1, owned_by: 'openai' }] }, [{ name: 'gpt-4.1' }]],
  ["Anthropic's, with capabilities", {
    data: [
      {
        type: 'model', id: 'claude-sonnet-5-5', display_name: 'Claude Sonnet 5.5', max_input_tokens: 1_000_000, max_tokens: 128_000, lifecycle: 'active',
        capabilities: { thinking: { types: { adaptive: { supported: true }, disabled: { supported: false } } }, structured_outputs: { supported: true }, image_input: true, pdf_input: { supported: true } },
      },
      { type: 'model', id: 'claude-2', lifecycle: 'retired' },
    ],
    has_more: false,
  }, [{ name: 'claude-sonnet-5-5', facts: { contextWindow: 1_000_000, maxOutputTokens: 128_000, images: true, documents: true, jsonSchema: true, thinking: true } }]],
  ["Gemini's, without what cannot generate", {
    models: [
      { name: 'models/gemini-2.5-pro', inputTokenLimit: 1_048_576, outputTokenLimit: 65_536, supportedGenerationMethods: ['generateContent', 'countTokens'], thinking: true },
      { name: 'models/text-embedding-004', inputTokenLimit: 2048, supportedGenerationMethods: ['embedContent'] },
    ],
  }, [{ name: 'gemini-2.5-pro', facts: { contextWindow: 1_048_576, maxOutputTokens: 65_536, thinking: true } }]],
  ["Vertex AI's", { publisherModels: [{ name: 'publishers/google/models/gemini-2.5-flash', versionId: 'default', supportedActions: { openGenie: {} } }] }, [{ name: 'gemini-2.5-flash' }]],
  ["Mistral's", {
    data: [
      { id: 'mistral-medium-3-5', max_context_length: 262_144, capabilities: { completion_chat: true, completion_fim: false, function_calling: true, vision: true, reasoning: true } },
      { id: 'mistral-embed', max_context_length: 8192, capabilities: { completion_chat: false } },
    ],
  }, [{ name: 'mistral-medium-3-5', facts: { contextWindow: 262_144, tools: true, images: true, thinking: true } }]],
  ["OpenRouter's, with prices", {
    data: [
      {
        id: 'anthropic/claude-sonnet-4.6', context_length: 1_000_000, top_provider: { max_completion_tokens: 64_000 }, architecture: { input_modalities: ['text', 'image'] },
        pricing: { prompt: '0.000003', completion: '0.000015', input_cache_read: '0.0000003', input_cache_write: '0.00000375', request: '0' },
        supported_parameters: ['tools', 'reasoning', 'structured_outputs', 'max_tokens'],
      },
      { id: 'openrouter/auto', context_length: 2_000_000, pricing: { prompt: '-1', completion: '-1' }, supported_parameters: [] },
      { id: 'some/text-model', context_length: 32_000, architecture: { input_modalities: ['text'] }, pricing: { prompt: '0', completion: '0' }, supported_parameters: ['max_tokens'] },
    ],
  }, [
    {
      name: 'anthropic/claude-sonnet-4.6',
      facts: {
        contextWindow: 1_000_000, maxOutputTokens: 64_000, tools: true, images: true, jsonSchema: true, thinking: true,
        prices: { inputPerMTok: 3, outputPerMTok: 15, cacheReadPerMTok: 0.3, cacheWritePerMTok: 3.75 },
      },
    },
    { name: 'openrouter/auto', facts: { contextWindow: 2_000_000 } },
    { name: 'some/text-model', facts: { contextWindow: 32_000, tools: false, images: false, thinking: false, prices: { inputPerMTok: 0, outputPerMTok: 0 } } },
  ]],
  ["Groq's, without what is switched off", {
    data: [{ id: 'openai/gpt-oss-120b', active: true, context_window: 131_072, max_completion_tokens: 65_536 }, { id: 'old', active: false, context_window: 8192 }],
  }, [{ name: 'openai/gpt-oss-120b', facts: { contextWindow: 131_072, maxOutputTokens: 65_536 } }]],
  ["Moonshot's", { data: [{ id: 'kimi-k3', context_length: 1_048_576, supports_image_in: true, supports_reasoning: true }] }, [{ name: 'kimi-k3', facts: { contextWindow: 1_048_576, images: true, thinking: true } }]],
  ["vLLM's", { data: [{ id: 'Qwen/Qwen3-Coder', max_model_len: 262_144 }] }, [{ name: 'Qwen/Qwen3-Coder', facts: { contextWindow: 262_144 } }]],
  ["LM Studio's, with the context window of the loaded model", {
    data: [{ id: 'qwen3-8b', type: 'vlm', max_context_length: 32_768, loaded_context_length: 8192 }, { id: 'nomic', type: 'embeddings' }],
  }, [{ name: 'qwen3-8b', facts: { contextWindow: 8192, images: true } }]],
  ["DeepInfra's, with prices for a million tokens", {
    data: [{ id: 'zai-org/GLM-4.6', metadata: { context_length: 202_752, max_tokens: 202_752, pricing: { input_tokens: 0.45, output_tokens: 1.9, cache_read_tokens: 0.11 }, tags: ['reasoning', 'vision'] } }],
  }, [{ name: 'zai-org/GLM-4.6', facts: { contextWindow: 202_752, images: true, thinking: true, prices: { inputPerMTok: 0.45, outputPerMTok: 1.9, cacheReadPerMTok: 0.11 } } }]],
  ["Together's, a bare array with prices for a million tokens and models that do not chat", [
    { id: 'openai/gpt-oss-120b', type: 'chat', context_length: 131_072, pricing: { hourly: 0, input: 0.15, output: 0.6, base: 0, finetune: 0 } },
    { id: 'a/dedicated', type: 'chat', context_length: 8192, pricing: { hourly: 0, input: 0, output: 0, base: 0, finetune: 0 } },
    { id: 'black-forest-labs/FLUX.1', type: 'image' },
    { id: 'a/reranker', type: 'rerank' },
  ], [{ name: 'openai/gpt-oss-120b', facts: { contextWindow: 131_072, prices: { inputPerMTok: 0.15, outputPerMTok: 0.6 } } }, { name: 'a/dedicated', facts: { contextWindow: 8192 } }]],
  ["Ollama's", { models: [{ name: 'llama3.3:70b', model: 'llama3.3:70b', details: {} }] }, [{ name: 'llama3.3:70b' }]],
  ['a bare array', ['a', { id: 'b' }], [{ name: 'a' }, { name: 'b' }]],
  ['one that gives a name twice, or none', { data: [{ id: 'a' }, { id: 'a' }, { x: 1 }, null, 7, { id: '' }] }, [{ name: 'a' }]],
  ['one in which an output limit leaves no room for a prompt', { data: [{ id: 'a', context_length: 8192, max_completion_tokens: 8192 }] }, [{ name: 'a', facts: { contextWindow: 8192 } }]],
];

describe('a model list is read:', () => {
  for (const [title, body, expected] of lists) test(title, () => assert.deepEqual(parseModelList(JSON.stringify(body)), expected));

  test('an answer without a list is not taken for an empty list', () => {
    assert.equal(parseModelList('<html>'), undefined);
    assert.equal(parseModelList('{"error":{"message":"no"}}'), undefined);
    assert.deepEqual(parseModelList('{"data":[]}'), []);
  });
});

describe('the contents of a hostile list', () => {
  const priced = (pricing: unknown): unknown => parseModelList(JSON.stringify({ data: [{ id: 'm', pricing }] }))?.[0]?.facts?.prices;
  const oddAmounts = ['1e300', '-1', 'NaN', 'Infinity', '-Infinity', 'free', '', ' ', '0.2', 1e300, -1, 0.2, true, null, {}, ['1'], { usd: 1 }];

  for (const odd of oddAmounts) {
    test(`is no price when the input costs ${JSON.stringify(odd)} a token`, () => assert.equal(priced({ prompt: odd, completion: '0.000001' }), undefined));
    test(`leaves the other prices when the cache costs ${JSON.stringify(odd)} a token`, () => {
      assert.deepEqual(priced({ prompt: '0.000001', completion: '0.000002', input_cache_read: odd, internal_reasoning: odd }), { inputPerMTok: 1, outputPerMTok: 2 });
    });
  }

  test('is no context window when it is negative, a fraction, a text or beyond belief', () => {
    for (const odd of [0, -1, 1.5, 1e300, Number.MAX_SAFE_INTEGER, '8192', true, {}, []]) {
      assert.deepEqual(parseModelList(JSON.stringify([{ id: 'm', context_length: odd, max_output_tokens: odd }])), [{ name: 'm' }], JSON.stringify(odd));
    }
  });

  test('is no name when it is long, broken or holds control characters', () => {
    const names = ['n'.repeat(301), 'n'.repeat(1_000_000), 'a\nb', 'a\u001b[31m', 'a\ud800', 'models/', 'ok'];
    assert.deepEqual(parseModelList(JSON.stringify(names)), [{ name: 'ok' }]);
  });

  test('has at most ten thousand models', () => {
    const list = Array.from({ length: 50_000 }, (_, index) => `m-${index}`);
    assert.equal(parseModelList(JSON.stringify(list))?.length, 10_000);
  });

  test('may nest without end', () => {
    const deep = (open: string, close: string): string => `${open.repeat(100_000)}1${close.repeat(100_000)}`;
    for (const value of [deep('{"a":', '}'), deep('[', ']'), deep('{"types":', '}')]) {
      assert.deepEqual(parseModelList(`[{"id":"m","capabilities":{"vision":${value},"tools":${value}},"pricing":${value},"architecture":${value}}]`), [{ name: 'm' }]);
    }
  });

  test('may have any number of details and any number of blank lines', () => {
    const info = Object.fromEntries(Array.from({ length: 300_000 }, (_, index) => [`${index}.context_length`, 'x']));
    assert.deepEqual(parseModelDetails(JSON.stringify({ model_info: info })), {});
    assert.deepEqual(parseModelDetails(JSON.stringify({ parameters: `${'\n'.repeat(1_000_000)}num_ctx 9${'9'.repeat(400)}` })), {});
  });
});

describe("Ollama's details of one model", () => {
  const details = { model_info: { 'general.architecture': 'llama', 'llama.context_length': 131_072 }, capabilities: ['completion', 'tools', 'vision'] };

  test('gives its context window and its capabilities', () => {
    assert.deepEqual(parseModelDetails(JSON.stringify(details)), { contextWindow: 131_072, tools: true, images: true, thinking: false });
  });

  test('gives the context window it is run with, where one is set: longer prompts would be cut in silence', () => {
    assert.equal(parseModelDetails(JSON.stringify({ ...details, parameters: 'stop "<|eot|>"\nnum_ctx                        8192\n' })).contextWindow, 8192);
  });

  test('says nothing when it is unreadable', () => assert.deepEqual(parseModelDetails('nope'), {}));
});
