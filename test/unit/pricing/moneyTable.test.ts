import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProtocolName } from '../../../server/api/conversation.ts';
import type { Cost } from '../../../server/api/receipt.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { silentLog } from '../../../server/base/log.ts';
import { findProvider } from '../../../server/catalog/providers.ts';
import { UsageMeter } from '../../../server/exchange/answer/usageMeter.ts';
import { placeFactor } from '../../../server/pricing/chargeTables.ts';
import { createPricer, type PriceRequest } from '../../../server/pricing/pricing.ts';
import { codecFor } from '../../../server/protocols/registry.ts';

/*
 * Each provider's documented examples, fees and tiers included, in the provider's own words: the cost is right to the
 * micro-dollar, and what has no price is named. Every row has its source: D the vendor's own page, S a secondary public
 * page, P the price library 0.1.8; with its date.
 */

const pricer = createPricer({ log: silentLog });
await pricer.ready();

interface Row {
  what: string;
  source: string;
  provider: string;
  protocol: ProtocolName;
  model: string;
  answer: JsonObject;
  microUsd: number;
  certainty?: Cost['certainty'];
  unpriced?: readonly string[];
  /** Where the endpoint is, when not at the provider's usual address. */
  baseUrl?: string;
  at?: string;
  also?: Partial<PriceRequest>;
}

const message = (usage: JsonObject): JsonObject => ({ id: 'm', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'Hi' }], stop_reason: 'end_turn', usage });
const response = (usage: JsonObject, more: JsonObject = {}, items: JsonObject[] = []): JsonObject => ({
  id: 'r', object: 'response', status: 'completed', model: 'm', usage, ...more,
  output: [...items, { type: 'message', id: 'm', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hi', annotations: [] }] }],
});
const chat = (usage: JsonObject, more: JsonObject = {}): JsonObject => ({
  id: 'c', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }], usage, ...more,
});
const gemini = (usageMetadata: JsonObject, candidate: JsonObject = {}): JsonObject => ({
  modelVersion: 'm', candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP', ...candidate }], usageMetadata,
});
const claude = { provider: 'anthropic', protocol: 'anthropic-messages' } as const;
const openAi = { provider: 'openai', protocol: 'openai-responses' } as const;
const openAiChat = { provider: 'openai', protocol: 'openai-chat' } as const;
const google = { provider: 'gemini', protocol: 'gemini' } as const;
const vertex = { provider: 'vertex', protocol: 'gemini' } as const;
const bedrock = { provider: 'bedrock', protocol: 'anthropic-messages' } as const;
const used = { input_tokens: 1000, output_tokens: 500 };
const counted = { prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 };

const rows: readonly Row[] = [
  // Anthropic
  { what: 'cache writes of two lives: 1,000 at $4, 2,000 at $5, 1,000 at $8, 10,000 read at $0.20, 500 at $20', source: 'D platform.claude.com pricing, 2026-11', ...claude, model: 'claude-opus-5-5',
    answer: message({ ...used, cache_creation_input_tokens: 3000, cache_creation: { ephemeral_5m_input_tokens: 2000, ephemeral_1h_input_tokens: 1000 }, cache_read_input_tokens: 10_000 }), microUsd: 4000 + 10_000 + 8000 + 2000 + 10_000 },
  { what: 'a prompt above 100,000 tokens at Haiku 5.5, whole at the dearer price: 100,001 at $0.50 + 500 at $2.50', source: 'D platform.claude.com pricing, 2026-11', ...claude, model: 'claude-haiku-5-5', answer: message({ input_tokens: 100_001, output_tokens: 500 }), microUsd: 51_251 },
  { what: 'a prompt of just 100,000 tokens there: 100,000 at $0.10 + 500 at $0.50', source: 'D platform.claude.com pricing, 2026-11', ...claude, model: 'claude-haiku-5-5', answer: message({ input_tokens: 100_000, output_tokens: 500 }), microUsd: 10_250 },
  { what: 'inference in the United States, at 1.1 times each price', source: 'D platform.claude.com data-residency, 2026-11', ...claude, model: 'claude-opus-4-6', answer: message({ ...used, cache_read_input_tokens: 1000, inference_geo: 'us' }), microUsd: 5500 + 13_750 + 550 },
  { what: 'the same with a model that came later', source: 'D platform.claude.com data-residency, 2026-11', ...claude, model: 'claude-sonnet-5-5', answer: message({ ...used, inference_geo: 'us' }), microUsd: 2200 + 5500 },
  { what: 'inference anywhere, said so', source: 'D platform.claude.com data-residency, 2026-11', ...claude, model: 'claude-opus-4-6', answer: message({ ...used, inference_geo: 'global' }), microUsd: 17_500 },
  { what: 'fast mode of Opus 5, at twice the price', source: 'S openrouter.ai, 2026-07-24', ...claude, model: 'claude-opus-5', answer: message({ ...used, speed: 'fast' }), microUsd: 10_000 + 25_000 },
  { what: 'fast mode of Opus 4.6, at six times the price, in the United States', source: 'S 2026-07', ...claude, model: 'claude-opus-4-6', answer: message({ ...used, speed: 'fast', inference_geo: 'us' }), microUsd: 33_000 + 82_500 },
  { what: 'fast mode of Opus 5.5, whose multiple is not published here', source: 'S 2026-11', ...claude, model: 'claude-opus-5-5', answer: message({ ...used, speed: 'fast' }), microUsd: 14_000, certainty: 'estimated', unpriced: ['fast mode'] },
  { what: 'a batch, cache writes at half as well', source: 'D platform.claude.com pricing, 2026-11', ...claude, model: 'claude-sonnet-4-6', answer: message({ ...used, cache_creation_input_tokens: 1000, service_tier: 'batch' }), microUsd: 1500 + 3750 + 1875 },
  { what: 'two searches in a batch: the fee stays whole', source: 'D platform.claude.com pricing, 2026-11', ...claude, model: 'claude-sonnet-4-6', answer: message({ ...used, service_tier: 'batch', server_tool_use: { web_search_requests: 2 } }), microUsd: 5250 + 20_000 },
  { what: 'a compaction, which is in no other count: 23,000 at $4 + 1,000 at $20, and 180,000 at $4 + 3,500 at $20', source: 'D platform.claude.com compaction-threshold, 2026-10-30', ...claude, model: 'claude-opus-5-5',
    answer: message({ input_tokens: 23_000, output_tokens: 1000, iterations: [{ type: 'compaction', input_tokens: 180_000, output_tokens: 3500 }, { type: 'message', input_tokens: 23_000, output_tokens: 1000 }] }), microUsd: 92_000 + 20_000 + 720_000 + 70_000 },
  { what: 'a compaction at Haiku 5.5, long by itself: 23,000 at $0.10 + 1,000 at $0.50, and 180,000 at $0.50 + 3,500 at $2.50', source: 'D platform.claude.com compaction-threshold, 2026-10-30', ...claude, model: 'claude-haiku-5-5',
    answer: message({ input_tokens: 23_000, output_tokens: 1000, iterations: [{ type: 'compaction', input_tokens: 180_000, output_tokens: 3500 }] }), microUsd: 2300 + 500 + 90_000 + 8750 },
  { what: 'a step of another model, whose price is its own', source: 'S 2026-11', ...claude, model: 'claude-sonnet-4-6', answer: message({ ...used, iterations: [{ type: 'message', ...used }, { type: 'advisor_message', model: 'claude-opus-5-5', ...used }] }), microUsd: 10_500, certainty: 'estimated', unpriced: ['advisor'] },
  { what: 'code that Claude runs, by the hour of its container and with free hours that no answer tells', source: 'D platform.claude.com pricing, 2026-11', ...claude, model: 'claude-sonnet-4-6', answer: { ...message(used), content: [{ type: 'server_tool_use', id: 's', name: 'bash_code_execution', input: {} }, { type: 'text', text: 'Hi' }] }, microUsd: 10_500, certainty: 'estimated', unpriced: ['code execution'] },
  // OpenAI
  { what: 'GPT-5.5 with priority: 1,000 at $12.50 + 500 at $75', source: 'D openai.com/api-fast-mode, 2026-11', ...openAi, model: 'gpt-5.5', answer: response(used, { service_tier: 'priority' }), microUsd: 12_500 + 37_500 },
  { what: 'the same tier by its newer name', source: 'D openai.com/api-fast-mode, 2026-11', ...openAi, model: 'gpt-5.5', answer: response(used, { service_tier: 'fast' }), microUsd: 50_000 },
  { what: 'GPT-5.6 Sol with priority: 1,000 at $8, of which 400 read at $0.80, + 500 at $40', source: 'D openai.com/api-fast-mode, 2026-11', ...openAi, model: 'gpt-5.6-sol', answer: response({ ...used, input_tokens_details: { cached_tokens: 400 } }, { service_tier: 'priority' }), microUsd: 4800 + 320 + 20_000 },
  { what: 'GPT-5 mini with priority: 1,000 at $0.45 + 500 at $3.60', source: 'D openai.com/api-fast-mode, 2026-11', ...openAiChat, model: 'gpt-5-mini', answer: chat(counted, { service_tier: 'priority' }), microUsd: 450 + 1800 },
  { what: 'GPT-4.1 with priority: 1,000 at $3.50 + 500 at $14', source: 'D openai.com/api-fast-mode, 2026-11', ...openAiChat, model: 'gpt-4.1', answer: chat(counted, { service_tier: 'priority' }), microUsd: 3500 + 7000 },
  { what: 'GPT-5.5 with priority and a long prompt, for which no such price is published', source: 'D openai.com/api-fast-mode, 2026-11', ...openAi, model: 'gpt-5.5', answer: response({ input_tokens: 300_000, output_tokens: 500 }, { service_tier: 'priority' }), microUsd: 3_000_000 + 22_500, certainty: 'estimated', unpriced: ['service tier priority'] },
  { what: 'a long prompt at GPT-5.6 Sol with priority: 300,000 at $16 + 500 at $60', source: 'D openai.com/api-fast-mode, 2026-11', ...openAi, model: 'gpt-5.6-sol', answer: response({ input_tokens: 300_000, output_tokens: 500 }, { service_tier: 'priority' }), microUsd: 4_800_000 + 30_000 },
  { what: 'the European address with GPT-5.4, at 1.1 times the price', source: 'D developers.openai.com data-residency, 2026-11', ...openAi, model: 'gpt-5.4', baseUrl: 'https://eu.api.openai.com/v1', answer: response(used), microUsd: 2750 + 8250 },
  { what: 'the same address with a model from before 2026-03-05, at the list price', source: 'D developers.openai.com data-residency, 2026-11', ...openAi, model: 'gpt-4.1', baseUrl: 'https://eu.api.openai.com/v1', answer: response(used), microUsd: 2000 + 4000 },
  { what: 'a search model of Chat, which searches for each request: 1,000 at $2.50 + 500 at $10 + $25 for 1,000', source: 'S 2026-11', ...openAiChat, model: 'gpt-4o-search-preview', answer: chat(counted), microUsd: 2500 + 5000 + 25_000 },
  { what: 'sound in and out of GPT Audio: 900 at $2.50, 100 at $32, 450 at $10, 50 at $64', source: 'P 0.1.8', ...openAiChat, model: 'gpt-audio', answer: chat({ ...counted, prompt_tokens_details: { audio_tokens: 100 }, completion_tokens_details: { audio_tokens: 50 } }), microUsd: 2250 + 3200 + 4500 + 3200 },
  { what: 'sound in and out of GPT-4o mini Audio: 900 at $0.15, 100 at $10, 450 at $0.60, 50 at $20', source: 'S 2026-11', ...openAiChat, model: 'gpt-4o-mini-audio-preview', answer: chat({ ...counted, prompt_tokens_details: { audio_tokens: 100 }, completion_tokens_details: { audio_tokens: 50 } }), microUsd: 135 + 1000 + 270 + 1000 },
  { what: 'a hosted shell, whose container time is not told', source: 'S 2026-11', ...openAi, model: 'gpt-5-mini', answer: response(used, {}, [{ type: 'shell_call', id: 's' }]), microUsd: 1250, certainty: 'estimated', unpriced: ['shell'] },
  { what: 'a code interpreter, whose container is charged by the minute and may be one of before', source: 'S 2026-06-02, developers.openai.com changelog', ...openAi, model: 'gpt-5-mini', answer: response(used, {}, [{ type: 'code_interpreter_call', id: 'ci', container_id: 'cntr_1', code: '1' }]), microUsd: 1250, certainty: 'estimated', unpriced: ['code interpreter'] },
  { what: 'flex with cached tokens: 600 at $1 + 400 at $0.10 + 500 at $5', source: 'S 2026-11', ...openAi, model: 'gpt-6-sol', answer: response({ ...used, input_tokens_details: { cached_tokens: 400 } }, { service_tier: 'flex' }), microUsd: 600 + 40 + 2500 },
  // Google
  { what: 'sound in a prompt of Gemini 2.5 Flash: 800 at $0.30, 200 at $1, 500 at $2.50', source: 'P 0.1.8', ...google, model: 'gemini-2.5-flash', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 800 }, { modality: 'AUDIO', tokenCount: 200 }] }), microUsd: 240 + 200 + 1250 },
  { what: 'sound of which a part was cached: 600 at $0.30, 100 at $1, 200 text read at $0.03, 100 sound read at $0.10, 500 at $2.50', source: 'P 0.1.8', ...google, model: 'gemini-2.5-flash',
    answer: gemini({ promptTokenCount: 1000, cachedContentTokenCount: 300, candidatesTokenCount: 500, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 800 }, { modality: 'AUDIO', tokenCount: 200 }], cacheTokensDetails: [{ modality: 'TEXT', tokenCount: 200 }, { modality: 'AUDIO', tokenCount: 100 }] }), microUsd: 180 + 100 + 6 + 10 + 1250 },
  { what: 'pictures and films in a prompt, at the price of text', source: 'P 0.1.8', ...google, model: 'gemini-2.5-flash', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500, promptTokensDetails: [{ modality: 'IMAGE', tokenCount: 258 }, { modality: 'VIDEO', tokenCount: 700 }, { modality: 'TEXT', tokenCount: 42 }] }), microUsd: 300 + 1250 },
  { what: 'a picture made by Gemini 2.5 Flash Image: 1,000 at $0.30 + 1,290 at $30', source: 'P 0.1.8', ...google, model: 'gemini-2.5-flash-image', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 1290, candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }] }), microUsd: 300 + 38_700 },
  { what: 'a picture of a model without a price for pictures', source: 'P 0.1.8', ...google, model: 'gemini-2.5-flash', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500, candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 258 }] }), microUsd: 300 + 1250, certainty: 'estimated', unpriced: ['image tokens'] },
  { what: 'grounding with maps, whose fee depends on an allowance and the model', source: 'S 2026-10', ...google, model: 'gemini-2.5-flash', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500 }, { groundingMetadata: { groundingChunks: [{ maps: { uri: 'u' } }] } }), microUsd: 1550, certainty: 'estimated', unpriced: ['grounding with maps'] },
  { what: 'capacity that was bought', source: 'S 2026-10', ...google, model: 'gemini-2.5-pro', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500, trafficType: 'PROVISIONED_THROUGHPUT' }), microUsd: 6250, certainty: 'estimated', unpriced: ['service tier PROVISIONED_THROUGHPUT'] },
  { what: 'a prompt above 200,000 tokens at Gemini 2.5 Pro: 200,001 at $2.50 + 500 at $15', source: 'P 0.1.8', ...google, model: 'gemini-2.5-pro', answer: gemini({ promptTokenCount: 200_001, candidatesTokenCount: 500 }), microUsd: 500_003 + 7500 },
  { what: 'flex of the Gemini API, at half the price: 1,000 at $0.15 + 500 at $1.25', source: 'D ai.google.dev optimization, 2026-11', ...google, model: 'gemini-2.5-flash', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500, serviceTier: 'flex' }), microUsd: 150 + 625 },
  { what: 'flex with cached tokens, whose price in that tier is not published', source: 'D ai.google.dev optimization, 2026-11', ...google, model: 'gemini-2.5-flash', answer: gemini({ promptTokenCount: 1000, cachedContentTokenCount: 400, candidatesTokenCount: 500, serviceTier: 'flex' }), microUsd: 90 + 6 + 625, certainty: 'estimated', unpriced: ['cached tokens of service tier flex'] },
  { what: 'priority at Gemini 4, at 1.8 times the price: 1,000 at $3.60 + 500 at $18', source: 'S 2026-11, ai.google.dev pricing', ...google, model: 'gemini-4-argon', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500, serviceTier: 'priority' }), microUsd: 3600 + 9000 },
  { what: 'priority at an older Gemini, at least 1.75 times the price', source: 'D ai.google.dev optimization, 2026-11', ...google, model: 'gemini-2.5-flash', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500, serviceTier: 'PRIORITY' }), microUsd: 525 + 2188, certainty: 'estimated', unpriced: ['service tier priority'] },
  { what: 'the standard tier, named', source: 'D ai.google.dev optimization, 2026-11', ...google, model: 'gemini-2.5-flash', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500, serviceTier: 'standard' }), microUsd: 1550 },
  { what: 'a batch of the Gemini API: 1,000 at $1 + 500 at $6', source: 'D ai.google.dev optimization, 2026-11', ...google, model: 'gemini-3.1-pro-preview', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500, serviceTier: 'batch' }), microUsd: 1000 + 3000 },
  { what: 'Flex PayGo of Vertex AI, at half the price', source: 'D docs.cloud.google.com flex-paygo, 2026-11', ...vertex, model: 'gemini-3-flash-preview', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500, trafficType: 'ON_DEMAND_FLEX' }), microUsd: 250 + 750 },
  { what: 'Priority PayGo of Vertex AI, whose price is not published in a form that was found', source: 'D docs.cloud.google.com priority-paygo, 2026-11', ...vertex, model: 'gemini-3-flash-preview', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500, trafficType: 'ON_DEMAND_PRIORITY' }), microUsd: 500 + 1500, certainty: 'estimated', unpriced: ['service tier ON_DEMAND_PRIORITY'] },
  { what: 'code that Gemini runs, which costs its tokens only: 1,200 at $0.30 + 500 at $2.50', source: 'D ai.google.dev code-execution, 2026-11', ...google, model: 'gemini-2.5-flash', answer: gemini({ promptTokenCount: 1000, toolUsePromptTokenCount: 200, candidatesTokenCount: 500 }, { content: { role: 'model', parts: [{ executableCode: { language: 'PYTHON', code: '1' } }, { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } }, { text: 'Hi' }] } }), microUsd: 360 + 1250 },
  { what: 'Gemini at one region of Vertex AI, at 1.1 times the price of the world: 2 at $0.825 + 1 at $4.125', source: 'S 2026-08-19, BerriAI/litellm#37543', ...vertex, model: 'gemini-3.8-flash', baseUrl: 'https://us-central1-aiplatform.googleapis.com', answer: gemini({ promptTokenCount: 2000, candidatesTokenCount: 1000 }), microUsd: 1650 + 4125 },
  { what: 'Gemini in a group of regions of Vertex AI', source: 'S 2026-08-19, BerriAI/litellm#37543', ...vertex, model: 'gemini-3.5-flash', baseUrl: 'https://aiplatform.eu.rep.googleapis.com', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500 }), microUsd: 1650 + 4950 },
  { what: 'Gemini 2.5 at one region of Vertex AI, at the price of the world', source: 'P 0.1.8', ...vertex, model: 'gemini-2.5-flash', baseUrl: 'https://us-central1-aiplatform.googleapis.com', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500 }), microUsd: 1550 },
  { what: 'Claude at one region of Vertex AI, at 1.1 times the price of the world', source: 'S 2026-11', provider: 'vertex', protocol: 'anthropic-messages', model: 'claude-sonnet-5-5', baseUrl: 'https://europe-west1-aiplatform.googleapis.com', answer: message(used), microUsd: 2200 + 5500 },
  { what: 'Claude at the whole world of Vertex AI', source: 'P 0.1.8', provider: 'vertex', protocol: 'anthropic-messages', model: 'claude-sonnet-5-5', baseUrl: 'https://aiplatform.googleapis.com', answer: message(used), microUsd: 2000 + 5000 },
  // Amazon Bedrock
  { what: 'Sonnet 5.5 by a profile of one part of the world: 1,000 at $2.20 + 500 at $11', source: 'S 2026-10-07', ...bedrock, model: 'us.anthropic.claude-sonnet-5-5', answer: message(used), microUsd: 2200 + 5500 },
  { what: 'Sonnet 5.5 by the worldwide profile: 1,000 at $2 + 10,000 read at $0.10 + 500 at $10', source: 'S 2026-10-07', ...bedrock, model: 'global.anthropic.claude-sonnet-5-5', answer: message({ ...used, cache_read_input_tokens: 10_000 }), microUsd: 2000 + 1000 + 5000 },
  { what: 'Haiku 5.5 by a profile of one part of the world: 1,000 at $0.11 + 500 at $0.55', source: 'S 2026-10-15', ...bedrock, model: 'eu.anthropic.claude-haiku-5-5', answer: message({ input_tokens: 10_000, output_tokens: 2000 }), microUsd: 1100 + 1100 },
  { what: 'Haiku 5.5 there with a prompt above 100,000 tokens: 200,000 at $0.55 + 400 at $2.75', source: 'S 2026-10-15', ...bedrock, model: 'eu.anthropic.claude-haiku-5-5', answer: message({ input_tokens: 200_000, output_tokens: 400 }), microUsd: 110_000 + 1100 },
  { what: 'Opus 5.5 by both kinds of profiles: 1,000 at $4.40 + 500 at $22', source: 'P 0.1.8', ...bedrock, model: 'us.anthropic.claude-opus-5-5', answer: message(used), microUsd: 4400 + 11_000 },
  // Prices of models of others than Anthropic differ by region there.
  { what: 'Nova 2 Lite by a profile of one part of the world: 1,000 at $0.33 + 400 at $2.75', source: 'P 0.1.8', ...bedrock, model: 'us.amazon.nova-2-lite-v1:0', answer: message({ input_tokens: 1000, output_tokens: 400 }), microUsd: 330 + 1100, certainty: 'estimated' },
  { what: 'Nova 2 Lite by the worldwide profile: 1,000 at $0.30 + 400 at $2.50', source: 'P 0.1.8', ...bedrock, model: 'global.amazon.nova-2-lite-v1:0', answer: message({ input_tokens: 1000, output_tokens: 400 }), microUsd: 300 + 1000, certainty: 'estimated' },
  { what: 'Nova 2 Lite in one region: 1,000 at $0.33 + 400 at $2.75', source: 'S 2026-01-10', ...bedrock, model: 'amazon.nova-2-lite-v1:0', answer: message({ input_tokens: 1000, output_tokens: 400 }), microUsd: 330 + 1100, certainty: 'estimated' },
  { what: 'a guardrail that let the answer through: its fee depends on its policies', source: 'S 2026-06-04, AWS Bedrock pricing: $0.10 to $0.15 for 1,000 text units of each policy', ...bedrock, model: 'global.anthropic.claude-opus-5-5', answer: { ...message(used), 'amazon-bedrock-guardrailAction': 'NONE' }, microUsd: 4000 + 10_000, certainty: 'estimated', unpriced: ['guardrail'] },
  // xAI
  { what: 'the address in the United States: 1,000 at $2.20 + 500 at $6.60', source: 'D docs.x.ai pricing, 2026-11', provider: 'xai', protocol: 'openai-chat', model: 'grok-4.7', baseUrl: 'https://us.api.x.ai/v1', answer: chat(counted), microUsd: 2200 + 3300 },
  { what: 'its own figure of the cost', source: 'D docs.x.ai cost tracking, 2026-11', provider: 'xai', protocol: 'openai-responses', model: 'grok-4.7', answer: response({ ...used, cost_in_usd_ticks: 123_450_000 }), microUsd: 12_345 },
  // DeepSeek
  { what: 'a working hour of China: 1,000 at $0.30 + 500 at $1.20', source: 'D 2026-11-15', provider: 'deepseek', protocol: 'openai-chat', model: 'deepseek-flash', answer: chat(counted), microUsd: 300 + 600, at: '2026-11-20T02:00:00Z' },
  { what: 'the same hour on a Saturday: 1,000 at $0.15 + 500 at $0.60', source: 'D 2026-11-15', provider: 'deepseek', protocol: 'openai-chat', model: 'deepseek-flash', answer: chat(counted), microUsd: 150 + 300, at: '2026-11-21T02:00:00Z' },
  // Groq
  { what: 'flex, which costs what on demand does: 1,000 at $0.15 + 500 at $0.60', source: 'S 2026-11', provider: 'groq', protocol: 'openai-chat', model: 'openai/gpt-oss-120b', answer: chat(counted, { service_tier: 'flex' }), microUsd: 150 + 300 },
  { what: 'its tier with a price of its own', source: 'S 2026-11', provider: 'groq', protocol: 'openai-chat', model: 'openai/gpt-oss-120b', answer: chat(counted, { service_tier: 'performance' }), microUsd: 450, certainty: 'estimated', unpriced: ['service tier performance'] },
  { what: 'tools that ran at Groq: 1,000 at $0.15 + 500 at $0.60, a search at $5 for 1,000 or more, and code by the hour', source: 'S 2025-11-12, groq.com/pricing', provider: 'groq', protocol: 'openai-chat', model: 'openai/gpt-oss-120b', microUsd: 450 + 5000, certainty: 'estimated', unpriced: ['browser search', 'code execution'],
    answer: { ...chat(counted), choices: [{ index: 0, message: { role: 'assistant', content: 'Hi', executed_tools: [{ index: 0, type: 'browser_search' }, { index: 1, type: 'python' }] }, finish_reason: 'stop' }] } },
  { what: 'a page that a system of Groq opened, at $1 for 1,000 or more', source: 'S 2025-11-12, groq.com/pricing', provider: 'groq', protocol: 'openai-chat', model: 'openai/gpt-oss-120b', microUsd: 450 + 1000, certainty: 'estimated', unpriced: ['visit website'],
    answer: { ...chat(counted), choices: [{ index: 0, message: { role: 'assistant', content: 'Hi', executed_tools: [{ index: 0, type: 'visit_website' }] }, finish_reason: 'stop' }] } },
  // Kimi
  { what: 'a search by Kimi: 1,000 at $3 + 500 at $15 + $0.005', source: 'D platform.kimi.ai pricing/tools, 2026-11', provider: 'moonshot', protocol: 'openai-chat', model: 'kimi-k3', microUsd: 3000 + 7500 + 5000,
    answer: { ...chat(counted), choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [{ id: 's', type: 'builtin_function', function: { name: '$web_search', arguments: '{}' } }] }, finish_reason: 'tool_calls' }] } },
  { what: 'another function of the provider, without a price', source: 'D platform.kimi.ai pricing/tools, 2026-11', provider: 'moonshot', protocol: 'openai-chat', model: 'kimi-k3', microUsd: 3000 + 7500, certainty: 'estimated', unpriced: ['function of the provider'],
    answer: { ...chat(counted), choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [{ id: 's', type: 'builtin_function', function: { name: '$fetch', arguments: '{}' } }] }, finish_reason: 'tool_calls' }] } },
  // OpenRouter
  { what: 'its own figure, web search and tier included', source: 'D openrouter.ai usage accounting, 2026-11', provider: 'openrouter', protocol: 'openai-chat', model: 'openai/gpt-5', answer: chat({ ...counted, cost: 0.0252 }, { service_tier: 'priority' }), microUsd: 25_200 },
  { what: 'its own figure and the bill of the other provider', source: 'D openrouter.ai usage accounting, 2026-11', provider: 'openrouter', protocol: 'openai-chat', model: 'openai/gpt-5', answer: chat({ ...counted, cost: 0.0003, is_byok: true, cost_details: { upstream_inference_cost: 0.00625 } }), microUsd: 6550 },
  { what: 'a key of the other provider without a word on its bill, by the list', source: 'D openrouter.ai usage accounting, 2026-11', provider: 'openrouter', protocol: 'openai-chat', model: 'openai/gpt-5', answer: chat({ ...counted, cost: 0, is_byok: true }), microUsd: 6250, certainty: 'estimated', also: { listedPrices: { inputPerMTok: 1.25, outputPerMTok: 10 } } },
  { what: 'a list that beats the table', source: 'D openrouter.ai models, 2026-11', provider: 'openrouter', protocol: 'openai-chat', model: 'openai/gpt-5', answer: chat(counted), microUsd: 3000, certainty: 'estimated', also: { listedPrices: { inputPerMTok: 1, outputPerMTok: 4 } } },
  { what: 'a list that says $0 of a model that is not free', source: 'D openrouter.ai models, 2026-11', provider: 'openrouter', protocol: 'openai-chat', model: 'openai/gpt-5', answer: chat(counted), microUsd: 0, certainty: 'estimated', unpriced: ['tokens listed at $0'], also: { listedPrices: { inputPerMTok: 0, outputPerMTok: 0 } } },
  { what: 'a list that says $0 of a free one', source: 'D openrouter.ai models, 2026-11', provider: 'openrouter', protocol: 'openai-chat', model: 'qwen/qwen3-coder:free', answer: chat(counted), microUsd: 0, also: { listedPrices: { inputPerMTok: 0, outputPerMTok: 0 } } },
  // Perplexity's shape, at a relay that passes it on
  { what: "Perplexity's own figure, request fee included", source: 'D docs.perplexity.ai, 2026-11', provider: 'openai-compatible', protocol: 'openai-chat', model: 'sonar-pro', answer: chat({ ...counted, cost: { input_tokens_cost: 0.003, output_tokens_cost: 0.0075, request_cost: 0.014, total_cost: 0.0245 } }), microUsd: 24_500 },
  // However it is paid for
  { what: 'a subscription, whatever was used', source: "the endpoint's settings", ...claude, model: 'claude-opus-5-5', answer: message({ ...used, server_tool_use: { web_search_requests: 3 } }), microUsd: 0, also: { billing: 'subscription' } },
  { what: 'a subscription at a provider that charged all the same', source: "the endpoint's settings", provider: 'openrouter', protocol: 'openai-chat', model: 'openai/gpt-5', answer: chat({ ...counted, cost: 0.01 }), microUsd: 10_000, also: { billing: 'subscription' } },
  { what: 'a free tier', source: "the endpoint's settings", ...google, model: 'gemini-2.5-flash', answer: gemini({ promptTokenCount: 1000, candidatesTokenCount: 500 }), microUsd: 0, also: { billing: 'free' } },
];

describe('the money table', () => {
  for (const row of rows) {
    it(`${row.provider}: ${row.what} (${row.source})`, () => {
      const cost = costOf(row);
      assert.deepEqual([cost.microUsd, cost.certainty, cost.unpriced], [row.microUsd, row.certainty ?? 'exact', row.unpriced]);
    });
  }

  it('names a source and its date in each row', () => {
    for (const { what, source } of rows) assert.match(source, /\b20\d\d-\d\d|^P \d|^the endpoint's settings$/, what);
  });

  it('says by what a request of nothing is covered, and of which day a price is', () => {
    const of = (part: string): Row => rows.find(({ what }) => what.startsWith(part)) ?? assert.fail(part);
    assert.equal(costOf(of('a subscription, whatever')).priceSource, 'subscription');
    assert.equal(costOf(of('a free tier')).priceSource, 'free');
    assert.equal(costOf(of('a list that says $0 of a free one')).priceSource, 'free');
    assert.equal(costOf(of('GPT-5 mini with priority')).priceAsOf, '2026-09-23', 'the day of the price library');
    assert.equal(costOf(of('a prompt of just 100,000')).priceAsOf, '2026-11');
    const listed = of('a list that beats the table');
    assert.equal(costOf({ ...listed, also: { ...listed.also, listedAt: Date.UTC(2026, 10, 19, 23) } }).priceAsOf, '2026-11-19');
  });
});

function costOf({ provider: id, protocol, model, answer, baseUrl, at, also }: Row): Cost {
  const provider = findProvider(id) ?? assert.fail(id);
  const meter = new UsageMeter(false);
  meter.count((codecFor(protocol) ?? assert.fail(protocol)).decodeResponse(answer, provider.dialect));
  const { usage, extras } = meter.figures;
  return pricer.priceAttempt({
    usage, extras, usageEstimated: false, model, upstreamModel: model, endpointName: id, provider, at: Date.parse(at ?? '2026-11-20T12:00:00Z'), status: 200, generated: true,
    priceFactor: baseUrl === undefined ? undefined : placeFactor(provider.pricesId, baseUrl, model), ...also,
  });
}
