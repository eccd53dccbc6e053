import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProtocolName, TokenUsage } from '../../../server/api/conversation.ts';
import type { Cost } from '../../../server/api/receipt.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { silentLog } from '../../../server/base/log.ts';
import { findProvider } from '../../../server/catalog/providers.ts';
import { createPricer, type PriceRequest } from '../../../server/pricing/pricing.ts';
import { mergeUsage } from '../../../server/protocols/events.ts';
import { codecFor } from '../../../server/protocols/registry.ts';

/*
 * From the usage a provider reports, in its own words and by its own conventions, to micro-dollars: each example is
 * worked by hand from the vendor's price list of November 2026.
 */

const pricer = createPricer({ log: silentLog });
await pricer.ready();

/** A Friday noon UTC: no provider's peak hour. */
const usual = '2026-11-20T12:00:00Z';

const answers: Record<ProtocolName, (model: string, usage: JsonObject) => JsonObject> = {
  'openai-chat': (model, usage) => ({ id: 'c', object: 'chat.completion', model, choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }], usage }),
  'openai-responses': (model, usage) => ({
    id: 'r', object: 'response', status: 'completed', model, usage,
    output: [{ type: 'message', id: 'm', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hi', annotations: [] }] }],
  }),
  'anthropic-messages': (model, usage) => ({ id: 'm', type: 'message', role: 'assistant', model, content: [{ type: 'text', text: 'Hi' }], stop_reason: 'end_turn', usage }),
  'gemini': (modelVersion, usageMetadata) => ({ modelVersion, candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }], usageMetadata }),
};

interface Example {
  what: string;
  provider: string;
  model: string;
  upstreamModel?: string;
  protocol?: ProtocolName;
  usage: JsonObject;
  /** Micro-dollars; absent: unknown. */
  costs?: number;
  certainty?: Cost['certainty'];
  source?: RegExp;
  at?: string;
  also?: Partial<PriceRequest>;
}

function costOf({ provider: id, model, upstreamModel, protocol, usage, at, also }: Example): Cost {
  const provider = findProvider(id) ?? assert.fail(id);
  const spoken = protocol ?? provider.protocol;
  const codec = codecFor(spoken) ?? assert.fail(spoken);
  let counted: TokenUsage = {};
  for (const event of codec.decodeResponse(answers[spoken](model, usage), provider.dialect)) {
    if (event.type === 'usage') counted = mergeUsage(counted, event.usage);
  }
  return pricer.priceAttempt({
    usage: counted, usageEstimated: false, model, upstreamModel: upstreamModel ?? model, endpointName: id, provider,
    at: Date.parse(at ?? usual), status: 200, generated: true, ...also,
  });
}

const examples: Example[] = [
  {
    what: 'OpenAI Chat, whose prompt holds what was cached and written, and whose output holds reasoning: 2,000 at $2 + 6,000 at $0.20 + 2,000 at $2.50 + 500 at $12',
    provider: 'openai', model: 'gpt-5.6-terra', costs: 4_000 + 1_200 + 5_000 + 6_000,
    usage: { prompt_tokens: 10_000, completion_tokens: 500, prompt_tokens_details: { cached_tokens: 6_000, cache_write_tokens: 2_000 }, completion_tokens_details: { reasoning_tokens: 300 } },
  },
  {
    what: 'OpenAI Responses, by the same conventions: 600 at $2 + 400 at $0.20 + 100 at $10',
    provider: 'openai', protocol: 'openai-responses', model: 'gpt-6-sol', costs: 1_200 + 80 + 1_000,
    usage: { input_tokens: 1_000, input_tokens_details: { cached_tokens: 400 }, output_tokens: 100, output_tokens_details: { reasoning_tokens: 60 } },
  },
  {
    what: 'OpenAI Responses with cache writes of two lives: 8,500 at $1 + 1,000 at $1.25 + 500 at $2.50 + 100 at $5',
    provider: 'openai', protocol: 'openai-responses', model: 'gpt-6.1-terra', costs: 8_500 + 1_250 + 1_250 + 500,
    usage: { input_tokens: 10_000, input_tokens_details: { cached_tokens: 0, cache_write_tokens: 1_500, cache_write_tokens_details: { ttl_30m_tokens: 1_000, ttl_12h_tokens: 500 } }, output_tokens: 100 },
  },
  {
    what: 'OpenAI beyond 272,000 tokens, cached ones counted in: 100,000 at $2 + 200,000 at $0.10 + 1,000 at $7.50',
    provider: 'openai', protocol: 'openai-responses', model: 'gpt-6.1-terra', costs: 200_000 + 20_000 + 7_500,
    usage: { input_tokens: 300_000, input_tokens_details: { cached_tokens: 200_000 }, output_tokens: 1_000 },
  },
  {
    what: 'Anthropic, whose input leaves out what was cached and whose output holds thinking: 100 at $2 + 10,000 at $0.10 + 2,000 at $2.50 + 1,000 for an hour at $4 + 500 at $10',
    provider: 'anthropic', model: 'claude-sonnet-5.5', upstreamModel: 'claude-sonnet-5-5', costs: 200 + 1_000 + 5_000 + 4_000 + 5_000,
    usage: {
      input_tokens: 100, cache_read_input_tokens: 10_000, cache_creation_input_tokens: 3_000,
      cache_creation: { ephemeral_5m_input_tokens: 2_000, ephemeral_1h_input_tokens: 1_000 }, output_tokens: 500, output_tokens_details: { thinking_tokens: 200 },
    },
  },
  {
    what: 'Amazon Bedrock by a profile of one part of the world, a tenth above the list: 1,000 at $3.30 + 4,000 at $0.33 + 500 at $4.125 + 100 at $16.50',
    provider: 'bedrock', model: 'claude-sonnet-4.5', upstreamModel: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0', costs: Math.round(3_300 + 1_320 + 2_062.5 + 1_650),
    usage: { input_tokens: 1_000, cache_read_input_tokens: 4_000, cache_creation_input_tokens: 500, output_tokens: 100 },
  },
  {
    what: 'Amazon Bedrock by the worldwide profile, also where an ARN names it: 1,000 at $5 + 100 at $25',
    provider: 'bedrock', model: 'claude-opus-4.6', upstreamModel: 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-opus-4-6-v1', costs: 5_000 + 2_500,
    usage: { input_tokens: 1_000, output_tokens: 100 },
  },
  {
    what: 'Amazon Bedrock by a profile that the table does not know, and whose neighbour has another price',
    provider: 'bedrock', model: 'claude-sonnet-5.9', upstreamModel: 'us.anthropic.claude-sonnet-5-9', certainty: 'estimated', costs: 2_200 + 1_100,
    usage: { input_tokens: 1_000, output_tokens: 100 },
  },
  {
    what: 'Amazon Bedrock by a profile of the account, whose name tells no model',
    provider: 'bedrock', model: 'abc123', upstreamModel: 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123',
    usage: { input_tokens: 1_000, output_tokens: 100 },
  },
  {
    what: 'Anthropic before cache reads became cheaper in October: 10,000 read at $0.20 + 10 at $2 + 1 at $10',
    provider: 'anthropic', model: 'claude-sonnet-5.5', costs: 2_000 + 20 + 10, at: '2026-10-06T12:00:00Z',
    usage: { input_tokens: 10, cache_read_input_tokens: 10_000, output_tokens: 1 },
  },
  {
    what: "Anthropic's Haiku 5.5 beyond 100,000 tokens, cache reads counted in: 1,000 at $0.50 + 120,000 at $0.05 + 100 at $2.50",
    provider: 'anthropic', model: 'claude-haiku-5.5', costs: 500 + 6_000 + 250,
    usage: { input_tokens: 1_000, cache_read_input_tokens: 120_000, output_tokens: 100 },
  },
  {
    what: 'Gemini, whose prompt holds what was cached but not what its tools read, and whose candidates leave out thoughts: 6,500 at $0.75 + 4,000 at $0.075 + 1,000 at $3.75',
    provider: 'gemini', model: 'gemini-3.8-flash', costs: 4_875 + 300 + 3_750,
    usage: { promptTokenCount: 10_000, cachedContentTokenCount: 4_000, toolUsePromptTokenCount: 500, candidatesTokenCount: 200, thoughtsTokenCount: 800, totalTokenCount: 11_500 },
  },
  {
    what: 'Gemini beyond 200,000 tokens: 250,000 at $2.50 + 100 at $15',
    provider: 'gemini', model: 'gemini-2.5-pro', costs: 625_000 + 1_500,
    usage: { promptTokenCount: 250_000, candidatesTokenCount: 100, totalTokenCount: 250_100 },
  },
  {
    what: 'Gemini 4 Argon before its price doubles: 1,000 at $2 + 100 at $10',
    provider: 'gemini', model: 'gemini-4-argon', costs: 3_000, usage: { promptTokenCount: 1_000, candidatesTokenCount: 100, totalTokenCount: 1_100 },
  },
  {
    what: 'Gemini 4 Argon afterwards: 1,000 at $4 + 100 at $20',
    provider: 'gemini', model: 'gemini-4-argon', costs: 6_000, at: '2026-12-01T00:00:00Z', usage: { promptTokenCount: 1_000, candidatesTokenCount: 100, totalTokenCount: 1_100 },
  },
  {
    what: 'Gemini on Vertex AI: 1,000 at $1.25 + 110 at $10',
    provider: 'vertex', model: 'gemini-2.5-pro', costs: 1_250 + 1_100, usage: { promptTokenCount: 1_000, candidatesTokenCount: 100, thoughtsTokenCount: 10, totalTokenCount: 1_110 },
  },
  {
    what: "Claude on Vertex AI, by Anthropic's conventions and prices: 1,000 at $2 + 500 read at $0.10 + 100 at $10",
    provider: 'vertex', protocol: 'anthropic-messages', model: 'claude-sonnet-5.5', upstreamModel: 'claude-sonnet-5-5', costs: 2_000 + 50 + 1_000,
    usage: { input_tokens: 1_000, cache_read_input_tokens: 500, output_tokens: 100 },
  },
  {
    what: 'Claude on Vertex AI under a dated name: 1,000 at $1 + 10 at $5',
    provider: 'vertex', protocol: 'anthropic-messages', model: 'claude-haiku-4.5', upstreamModel: 'claude-haiku-4-5@20251001', costs: 1_050, usage: { input_tokens: 1_000, output_tokens: 10 },
  },
  ...([['off peak', usual, 1], ['in the peak hours of a working day', '2026-11-18T02:00:00Z', 2], ['at the same hour of a Saturday', '2026-11-21T02:00:00Z', 1]] as const).map(([when, at, factor]): Example => ({
    what: `DeepSeek ${when}, whose prompt is hits and misses: (2,000 at $0.15 + 8,000 at $0.003 + 1,000 at $0.60) x ${factor}`,
    provider: 'deepseek', model: 'deepseek-flash', at, costs: (300 + 24 + 600) * factor,
    usage: { prompt_tokens: 10_000, prompt_cache_hit_tokens: 8_000, prompt_cache_miss_tokens: 2_000, completion_tokens: 1_000, completion_tokens_details: { reasoning_tokens: 600 } },
  })),
  {
    what: 'Kimi, which counts cached tokens at the top: 600 at $3 + 400 at $0.30 + 100 at $15',
    provider: 'moonshot', model: 'kimi-k3', costs: 1_800 + 120 + 1_500, usage: { prompt_tokens: 1_000, cached_tokens: 400, completion_tokens: 100 },
  },
  {
    what: 'xAI Chat, whose completion leaves out reasoning: 600 at $2 + 400 at $0.50 + 150 at $6',
    provider: 'xai', protocol: 'openai-chat', model: 'grok-4.7', costs: 1_200 + 200 + 900,
    usage: { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_150, prompt_tokens_details: { cached_tokens: 400 }, completion_tokens_details: { reasoning_tokens: 50 } },
  },
  {
    what: 'xAI Responses, whose output holds reasoning, for the same work',
    provider: 'xai', model: 'grok-4.7', costs: 2_300,
    usage: { input_tokens: 1_000, input_tokens_details: { cached_tokens: 400 }, output_tokens: 150, output_tokens_details: { reasoning_tokens: 50 } },
  },
  {
    what: 'xAI in the United States, a tenth dearer',
    provider: 'xai', model: 'grok-4.7', costs: 2_530, also: { priceFactor: 1.1 },
    usage: { input_tokens: 1_000, input_tokens_details: { cached_tokens: 400 }, output_tokens: 150, output_tokens_details: { reasoning_tokens: 50 } },
  },
  {
    what: 'xAI from 200,000 tokens on: 200,000 at $4 + 10 at $12',
    provider: 'xai', model: 'grok-4.7', costs: 800_000 + 120, usage: { input_tokens: 200_000, output_tokens: 10 },
  },
  {
    what: 'xAI, when it reports the cost itself in ticks of a ten-thousandth of a micro-dollar',
    provider: 'xai', model: 'grok-4.7', costs: 2_345, source: /^provider$/, usage: { input_tokens: 1_000, output_tokens: 100, cost_in_usd_ticks: 23_450_000 },
  },
  {
    what: 'Mistral: 500 at $1.50 + 500 at $0.15 + 100 at $7.50',
    provider: 'mistral', model: 'mistral-medium-3.5', upstreamModel: 'mistral-medium-3-5', costs: 750 + 75 + 750,
    usage: { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100, prompt_tokens_details: { cached_tokens: 500 } },
  },
  {
    what: 'Groq: 600 at $0.15 + 400 at $0.075 + 100 at $0.60',
    provider: 'groq', model: 'gpt-oss-120b', upstreamModel: 'openai/gpt-oss-120b', costs: 90 + 30 + 60,
    usage: { prompt_tokens: 1_000, completion_tokens: 100, prompt_tokens_details: { cached_tokens: 400 } },
  },
  {
    what: 'OpenRouter, which reports the cost itself',
    provider: 'openrouter', model: 'claude-sonnet-4.6', upstreamModel: 'anthropic/claude-sonnet-4.6', costs: 12_346, source: /^provider$/,
    usage: { prompt_tokens: 1_000, completion_tokens: 100, cost: 0.0123456 },
  },
  {
    what: "OpenRouter with the user's own key, whose provider bills as well",
    provider: 'openrouter', model: 'gpt-5.5', costs: 10_500, source: /^provider$/,
    usage: { prompt_tokens: 1_000, completion_tokens: 100, cost: 0.0005, is_byok: true, cost_details: { upstream_inference_cost: 0.01 } },
  },
  {
    what: 'OpenRouter when it did not say the cost, by its own list: 1,000 at $0.70 + 100 at $2.80',
    provider: 'openrouter', model: 'somebody-new', costs: 700 + 280, certainty: 'estimated', source: /^provider list$/,
    usage: { prompt_tokens: 1_000, completion_tokens: 100 }, also: { listedPrices: { inputPerMTok: 0.7, outputPerMTok: 2.8 } },
  },
  {
    what: 'Azure OpenAI by the model behind a deployment, as an estimate, because contracts differ: 900 at $2 + 100 at $0.50 + 10 at $8',
    provider: 'azure', model: 'gpt-4.1', upstreamModel: 'team-deployment', costs: 1_800 + 50 + 80, certainty: 'estimated',
    usage: { prompt_tokens: 1_000, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 100 } },
  },
  {
    what: 'HolySheep at prices the user took from its list: 1,000 at $3 + 100 at $8',
    provider: 'holysheep', model: 'gpt-4.1', costs: 3_800, source: /^config$/, usage: { prompt_tokens: 1_000, completion_tokens: 100 },
    also: { configPrices: findProvider('holysheep')?.pricePreset?.models['gpt-4.1'] },
  },
  { what: 'a model on this machine', provider: 'ollama', model: 'llama3.3', costs: 0, source: /^local$/, usage: { prompt_tokens: 1_000, completion_tokens: 100 } },
  { what: 'HolySheep without prices of the user, although its list is known', provider: 'holysheep', model: 'gpt-4.1', usage: { prompt_tokens: 1_000, completion_tokens: 100 } },
  { what: 'the address for Codestral, whose prices are not published', provider: 'codestral', model: 'codestral-2508', usage: { prompt_tokens: 1_000, completion_tokens: 100 } },
  { what: 'any compatible server', provider: 'openai-compatible', model: 'gpt-4.1', usage: { prompt_tokens: 1_000, completion_tokens: 100 } },
  { what: 'an unknown model', provider: 'openai', model: 'gpt-99-quasar', usage: { prompt_tokens: 1_000, completion_tokens: 100 } },
  {
    what: 'Z.ai, from the list of its own page: 600 at $0.60 + 400 at $0.11 + 100 at $2.20',
    provider: 'zai', model: 'glm-4.7', costs: 360 + 44 + 220, source: /waybill table/,
    usage: { prompt_tokens: 1_000, completion_tokens: 100, prompt_tokens_details: { cached_tokens: 400 } },
  },
  {
    what: "MiniMax in Anthropic's protocol: 600 at $0.30 + 400 at $0.03 + 100 at $1.20",
    provider: 'minimax', protocol: 'anthropic-messages', model: 'minimax-m2.5', upstreamModel: 'MiniMax-M2.5', costs: 180 + 12 + 120,
    usage: { input_tokens: 600, cache_read_input_tokens: 400, output_tokens: 100 },
  },
  {
    what: 'Fireworks, whose names have a path and a p: 1,000 at $1.40 + 100 at $4.40',
    provider: 'fireworks', model: 'glm-5.1', upstreamModel: 'accounts/fireworks/models/glm-5p1', costs: 1_400 + 440,
    usage: { prompt_tokens: 1_000, completion_tokens: 100 },
  },
  {
    what: 'Cerebras: 1,000 at $0.35 + 100 at $0.75',
    provider: 'cerebras', model: 'gpt-oss-120b', costs: 350 + 75,
    usage: { prompt_tokens: 1_000, completion_tokens: 100 },
  },
  {
    what: 'Cloudflare, which gives a part of each day for nothing: at most 1,000 at $0.35 + 100 at $0.75',
    provider: 'cloudflare', model: 'gpt-oss-120b', upstreamModel: '@cf/openai/gpt-oss-120b', costs: 350 + 75, certainty: 'estimated',
    usage: { prompt_tokens: 1_000, completion_tokens: 100 },
  },
  {
    what: 'Perplexity, which says in dollars what an answer cost',
    provider: 'perplexity', model: 'sonar', costs: 5_430,
    usage: { input_tokens: 1_000, output_tokens: 100, cost: { currency: 'USD', input_cost: 0.0004, output_cost: 0.00003, tool_calls_cost: 0.005, total_cost: 0.005_43 } },
  },
  { what: 'Alibaba, whose prices are of its regions', provider: 'qwen', model: 'qwen3-max', usage: { prompt_tokens: 1_000, completion_tokens: 100 } },
  { what: 'a proxy that alone knows what it pays', provider: 'litellm', model: 'gpt-5', usage: { prompt_tokens: 1_000, completion_tokens: 100 } },
];

describe('what a provider reports is charged as', () => {
  for (const example of examples) {
    test(`${example.costs === undefined ? 'unknown' : `${example.costs} micro-dollars`}: ${example.what}`, () => {
      const cost = costOf(example);
      assert.equal(cost.microUsd, example.costs);
      assert.equal(cost.certainty, example.costs === undefined ? 'unknown' : example.certainty ?? 'exact');
      if (example.source !== undefined) assert.match(cost.priceSource ?? '', example.source);
    });
  }
});

describe('the price library also knows context windows', () => {
  const ask = (id: string, model: string): number | undefined => pricer.contextWindow({ provider: findProvider(id) ?? assert.fail(), model, upstreamModel: model, at: Date.parse(usual) });

  test('of models it knows by name, and of no others', () => {
    assert.equal(ask('openai', 'gpt-6-sol'), 1_050_000);
    assert.equal(ask('anthropic', 'claude-opus-5.5'), 1_000_000);
    assert.equal(ask('openai', 'gpt-99-quasar'), undefined);
    assert.equal(ask('holysheep', 'gpt-6-sol'), undefined);
  });
});
