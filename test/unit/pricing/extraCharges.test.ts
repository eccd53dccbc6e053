import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProtocolName } from '../../../server/api/conversation.ts';
import type { Cost } from '../../../server/api/receipt.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { silentLog } from '../../../server/base/log.ts';
import { findProvider } from '../../../server/catalog/providers.ts';
import { UsageMeter } from '../../../server/exchange/answer/usageMeter.ts';
import { createPricer, type PriceRequest } from '../../../server/pricing/pricing.ts';
import { sumCost } from '../../../server/pricing/sums.ts';
import { codecFor } from '../../../server/protocols/registry.ts';

/*
 * Whole answers in the providers' own words, to micro-dollars, worked by hand from the vendors' price lists of November 2026.
 */

const pricer = createPricer({ log: silentLog });
await pricer.ready();

interface Example {
  what: string;
  provider: string;
  protocol: ProtocolName;
  model: string;
  answer: JsonObject;
  microUsd: number;
  certainty: Cost['certainty'];
  unpriced?: readonly string[];
  also?: Partial<PriceRequest>;
}

const message = (usage: JsonObject, content: JsonObject[] = []): JsonObject => ({
  id: 'm', type: 'message', role: 'assistant', model: 'm', content: [...content, { type: 'text', text: 'Hi' }], stop_reason: 'end_turn', usage,
});
const response = (items: JsonObject[], more: JsonObject = {}): JsonObject => ({
  id: 'r', object: 'response', status: 'completed', model: 'm', usage: { input_tokens: 1000, output_tokens: 500, total_tokens: 1500 },
  output: [...items, { type: 'message', id: 'm', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hi', annotations: [] }] }], ...more,
});
const chat = (usage: JsonObject, more: JsonObject = {}): JsonObject => ({
  id: 'c', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }], usage, ...more,
});
const gemini = (usageMetadata: JsonObject, candidate: JsonObject = {}): JsonObject => ({
  modelVersion: 'm', candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP', ...candidate }], usageMetadata,
});
const search = (type = 'search'): JsonObject => ({ type: 'web_search_call', id: 'ws', status: 'completed', action: { type, query: 'x' } });
const counted = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };
const counts = { promptTokenCount: 1000, candidatesTokenCount: 500, totalTokenCount: 1500 };
const claude = { provider: 'anthropic', protocol: 'anthropic-messages', model: 'claude-sonnet-4-6' } as const;
const openAi = { provider: 'openai', protocol: 'openai-responses', model: 'gpt-5-mini' } as const;
const openAiChat = { provider: 'openai', protocol: 'openai-chat', model: 'gpt-5' } as const;
const google = { provider: 'gemini', protocol: 'gemini', model: 'gemini-2.5-pro' } as const;

const examples: readonly Example[] = [
  { what: 'Claude without any tool: 1,000 at $3 + 500 at $15', ...claude, answer: message({ input_tokens: 1000, output_tokens: 500, service_tier: 'standard', inference_geo: 'global', server_tool_use: null }), microUsd: 10_500, certainty: 'exact' },
  { what: 'Claude with 3 web searches at $10 for 1,000, and a fetch, which is free', ...claude, answer: message({ input_tokens: 1000, output_tokens: 500, server_tool_use: { web_search_requests: 3, web_fetch_requests: 1 } }), microUsd: 40_500, certainty: 'exact' },
  { what: 'Claude in a batch, at half the price', ...claude, answer: message({ input_tokens: 1000, output_tokens: 500, service_tier: 'batch' }), microUsd: 5250, certainty: 'exact' },
  { what: 'Claude with capacity that was bought, which has its own contract', ...claude, answer: message({ input_tokens: 1000, output_tokens: 500, service_tier: 'priority' }), microUsd: 10_500, certainty: 'estimated', unpriced: ['service tier priority'] },
  { what: 'Claude in a fast mode without a published multiple, in a country that is not known', ...claude, answer: message({ input_tokens: 1000, output_tokens: 500, speed: 'fast', inference_geo: 'eu' }), microUsd: 10_500, certainty: 'estimated', unpriced: ['fast mode', 'inference in eu'] },
  { what: 'Claude that runs code, whose container time is not told', ...claude, answer: message({ input_tokens: 1000, output_tokens: 500 }, [{ type: 'server_tool_use', id: 's', name: 'bash_code_execution', input: {} }]), microUsd: 10_500, certainty: 'estimated', unpriced: ['code execution'] },
  { what: 'Claude with a tool that is not known yet', ...claude, answer: message({ input_tokens: 1000, output_tokens: 500, server_tool_use: { map_lookup_requests: 2 } }), microUsd: 10_500, certainty: 'estimated', unpriced: ['map lookup'] },
  { what: 'OpenAI with 2 searches at $10 for 1,000, and a page that is opened, which is free', ...openAi, answer: response([search(), search(), search('open_page')]), microUsd: 21_250, certainty: 'exact' },
  { what: 'OpenAI with the older search tool and a model that does not reason, at $25 for 1,000', ...openAi, model: 'gpt-4.1', answer: response([search()], { tools: [{ type: 'web_search_preview' }] }), microUsd: 6000 + 25_000, certainty: 'exact' },
  { what: 'OpenAI with 2 file searches at $2.50 for 1,000', ...openAi, answer: response([{ type: 'file_search_call', id: 'f1', status: 'completed', queries: [] }, { type: 'file_search_call', id: 'f2', status: 'completed', queries: [] }]), microUsd: 6250, certainty: 'exact' },
  { what: 'OpenAI with code and a picture, which are charged apart', ...openAi, answer: response([{ type: 'code_interpreter_call', id: 'ci' }, { type: 'image_generation_call', id: 'ig' }]), microUsd: 1250, certainty: 'estimated', unpriced: ['code interpreter', 'image generation'] },
  { what: 'OpenAI Responses on flex, at half the price; a fee is charged whole', ...openAi, answer: response([search()], { service_tier: 'flex' }), microUsd: 625 + 10_000, certainty: 'exact' },
  { what: 'OpenAI Responses at the default tier', ...openAi, answer: response([], { service_tier: 'default' }), microUsd: 1250, certainty: 'exact' },
  { what: 'OpenAI Chat on flex: 1,000 at $0.625 + 500 at $5', ...openAiChat, answer: chat(counted, { service_tier: 'flex' }), microUsd: 3125, certainty: 'exact' },
  { what: 'OpenAI Chat with priority, at twice the price', ...openAiChat, answer: chat(counted, { service_tier: 'priority' }), microUsd: 12_500, certainty: 'exact' },
  { what: 'OpenAI Chat with priority for a model whose multiple is not known', ...openAiChat, model: 'gpt-4-turbo', answer: chat(counted, { service_tier: 'priority' }), microUsd: 25_000, certainty: 'estimated', unpriced: ['service tier priority'] },
  { what: 'OpenAI Chat that heard and spoke', ...openAiChat, answer: chat({ ...counted, prompt_tokens_details: { audio_tokens: 100 }, completion_tokens_details: { audio_tokens: 50 } }), microUsd: 6250, certainty: 'estimated', unpriced: ['audio tokens'] },
  { what: 'a price of the user\'s own holds in every tier; tools are charged beside it', ...openAi, answer: response([search()], { service_tier: 'flex' }), microUsd: 2000 + 10_000, certainty: 'exact', also: { configPrices: { inputPerMTok: 1, outputPerMTok: 2 } } },
  { what: 'Gemini 2.5, grounded: $35 for 1,000 requests, of which some are free', ...google, answer: gemini(counts, { groundingMetadata: { webSearchQueries: ['a', 'b'] } }), microUsd: 1250 + 5000 + 35_000, certainty: 'estimated' },
  { what: 'Gemini that was not grounded', ...google, answer: gemini(counts, { groundingMetadata: {} }), microUsd: 6250, certainty: 'exact' },
  { what: 'Gemini that heard', ...google, answer: gemini({ ...counts, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 900 }, { modality: 'AUDIO', tokenCount: 100 }] }), microUsd: 6250, certainty: 'estimated', unpriced: ['audio tokens'] },
  { what: 'OpenRouter, whose own figure holds everything', provider: 'openrouter', protocol: 'openai-chat', model: 'openai/gpt-5', answer: chat({ ...counted, cost: 0.05 }, { service_tier: 'priority' }), microUsd: 50_000, certainty: 'exact' },
];

describe('what an answer costs beside its tokens', () => {
  for (const example of examples) {
    it(`is in the cost, or the cost is a lower bound that names it: ${example.what}`, () => {
      const cost = costOf(example);
      assert.deepEqual([cost.microUsd, cost.certainty, cost.unpriced], [example.microUsd, example.certainty, example.unpriced]);
    });
  }

  it('stays named in the sum of several attempts', () => {
    const unpriced = examples.filter(example => example.unpriced !== undefined).slice(0, 2).map(example => ({ cost: costOf(example) }));
    assert.deepEqual(sumCost(unpriced).unpriced, ['service tier priority', 'fast mode', 'inference in eu']);
  });

  it('is counted in streams as in plain answers', () => {
    const streams: readonly [ProtocolName, readonly JsonObject[], JsonObject][] = [
      ['anthropic-messages', [
        { type: 'message_start', message: message({ input_tokens: 10, output_tokens: 0 }) },
        { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5, server_tool_use: { web_search_requests: 1 } } },
        { type: 'message_delta', delta: {}, usage: { output_tokens: 5, server_tool_use: { web_search_requests: 2 } } },
      ], { tools: { 'web search': 2 } }],
      ['openai-responses', [
        { type: 'response.output_item.done', output_index: 0, item: search() },
        { type: 'response.output_item.done', output_index: 1, item: search() },
        { type: 'response.completed', response: response([search(), search()]) },
      ], { tools: { 'web search': 2 } }],
      ['openai-chat', [{ choices: [], service_tier: 'flex', usage: counted }], { serviceTier: 'flex' }],
      ['gemini', [gemini(counts, { groundingMetadata: { webSearchQueries: ['a'] } })], { tools: { grounding: 1 } }],
    ];
    for (const [protocol, events, expected] of streams) {
      const decoder = codecFor(protocol)?.createStreamDecoder({}) ?? assert.fail(protocol);
      const meter = new UsageMeter(false);
      for (const event of events) meter.count(decoder.decode(undefined, JSON.stringify(event)));
      assert.deepEqual(meter.figures.extras, expected, protocol);
    }
  });

  it('is never named by free text of a provider', () => {
    const cost = costOf({ ...(examples[0] ?? assert.fail()), answer: message({ input_tokens: 1, output_tokens: 1, service_tier: 'sk-secret of someone', speed: '<b>', server_tool_use: { 'A B_requests': 1 } }) });
    assert.equal(cost.unpriced, undefined);
  });
});

function costOf({ provider: id, protocol, model, answer, also }: Example): Cost {
  const provider = findProvider(id) ?? assert.fail(id);
  const meter = new UsageMeter(false);
  meter.count((codecFor(protocol) ?? assert.fail(protocol)).decodeResponse(answer, provider.dialect));
  const { usage, extras } = meter.figures;
  return pricer.priceAttempt({
    usage, extras, usageEstimated: false, model, upstreamModel: model, endpointName: id, provider, at: Date.parse('2026-11-20T12:00:00Z'), status: 200, generated: true, ...also,
  });
}
