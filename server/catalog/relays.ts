import { said } from '../api/localization/said.ts';
import type { Dialect, ModelRule } from '../protocols/codec.ts';
import type { FactSource, Provider } from './provider.ts';
import { openAiDialect, openAiSources } from './vendors.ts';

/*
 * Providers that serve other vendors' models: relays, inference clouds and compatible servers of any kind.
 */

/** What every vendor behind a relay takes: the narrowest of them, because a relay passes on what its vendor refuses. */
export const relayDialect = {
  maxTokensField: 'max_tokens', maxCallIdLength: 40, maxUserLength: 64, commonImagesOnly: true, textResultsOnly: true, strictSchemas: true, documents: 'pdf',
  toolNames: { shape: /^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/, longest: 64 },
  // "This response_format type is unavailable now": llm-exe/llm-exe#662.
  models: [...openAiDialect.models ?? [], { names: /^deepseek-(?:chat|reasoner|v[34])/, jsonSchemaOutput: false }],
} as const satisfies Dialect & { models: readonly ModelRule[] };

/** Where the rules of `relayDialect` stand: at the vendors behind the relays. */
export const relaySources: readonly FactSource[] = [
  ...openAiSources.map(({ of, ...where }): FactSource => ({ ...where, of: of.filter(subject => subject in relayDialect) })).filter(({ of }) => of.length > 0),
  { of: ['models'], url: 'https://github.com/llm-exe/llm-exe/issues/662', read: '2026-11-27' },
];

export const holysheep: Provider = {
  id: 'holysheep',
  name: 'HolySheep',
  description: said('A relay for many vendors; its prices are yours to enter'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://api.holysheep.ai/v1', 'anthropic-messages': 'https://api.holysheep.ai' },
  auth: 'bearer',
  keyRequired: true,
  // Published key shapes contradict each other, so any key is taken as it is.
  keyUrl: 'https://www.holysheep.ai',
  billingUrl: 'https://www.holysheep.ai',
  // Whether the list is public is not documented: an answer proves the relay, not the key.
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  // Tools that speak Anthropic's protocol have an address of their own there.
  protocolRules: [{ protocol: 'anthropic-messages', models: /^claude-/, when: 'caller' }],
  pricePreset: {
    source: "an article of the vendor's of 2026-04-14",
    url: 'https://www.holysheep.ai/articles/en-2026nianai-apidingjiadazhangpt-54-vs-claude-46-vs--2026-04-14-0007.html',
    caution: 'Pages of the vendor contradict each other; compare with your own bill before you rely on these.',
    models: {
      'gpt-4.1': { inputPerMTok: 3, outputPerMTok: 8 },
      'claude-sonnet-4.5': { inputPerMTok: 5, outputPerMTok: 15 },
      'gemini-2.5-flash': { inputPerMTok: 0.8, outputPerMTok: 2.5 },
      'deepseek-v3.2': { inputPerMTok: 0.14, outputPerMTok: 0.42 },
    },
  },
  dialect: { ...relayDialect, models: [...relayDialect.models, { names: /^deepseek/, documents: false }] },
  sources: [
    { of: ['address', 'prices'], url: 'https://www.holysheep.ai/articles/en-2026nianai-apidingjiadazhangpt-54-vs-claude-46-vs--2026-04-14-0007.html', read: '2026-11-20' },
    ...relaySources,
  ],
  undocumented: ['what it refuses; error bodies; the model list'],
};

export const openrouter: Provider = {
  id: 'openrouter',
  name: 'OpenRouter',
  description: said('Models of many vendors with one key and one balance'),
  protocol: 'openai-chat',
  baseUrls: {
    'openai-chat': 'https://openrouter.ai/api/v1',
    'openai-responses': 'https://openrouter.ai/api/v1',
    'anthropic-messages': 'https://openrouter.ai/api',
  },
  auth: 'bearer',
  keyRequired: true,
  keyHint: 'sk-or-…',
  keyPattern: '^sk-or-',
  keyUrl: 'https://openrouter.ai/settings/keys',
  billingUrl: 'https://openrouter.ai/settings/credits',
  // The model list is public and proves nothing about the key.
  probe: { method: 'GET', path: '/key', provesKey: true },
  modelsPath: '/models',
  pricesId: 'openrouter',
  modelSpelling: 'dots',
  makerPrefix: true,
  // Signed reasoning and cache marks of Claude survive only in its own protocol.
  protocolRules: [{ protocol: 'anthropic-messages', models: /^claude-/, when: 'caller' }],
  dialect: { ...relayDialect, reasoningField: 'reasoning' },
  sources: [
    { of: ['maxCallIdLength', 'toolNames', 'strictSchemas'], url: 'https://github.com/reVrost/go-openrouter/pull/21', read: '2026-11-27' },
    ...relaySources,
    { of: ['address', 'keys', 'errors', 'models'], url: 'https://www.npmjs.com/package/@openrouter/sdk/v/1.3.19', read: '2026-11-20' },
    { of: ['maxTokensField', 'reasoningField'], url: 'https://openrouter.ai/docs', read: '2026-11-20' },
  ],
  errorRules: [
    // Requests under way hold back a part of the balance until they end.
    { status: 402, code: 'openrouter_in_flight_budget', failureClass: 'rate-limit' },
    // The free requests of a day come back at midnight (UTC), not in a moment. Models that are paid for go on.
    { status: 429, message: 'free-models-per-day', failureClass: 'quota', scope: 'key-model' },
    // What its own guard refuses; the key and the model are fine.
    { code: 'moderation', failureClass: 'content-policy' },
    { status: 403, message: 'flagged', failureClass: 'content-policy' },
    { status: 403, message: 'moderation', failureClass: 'content-policy' },
    { status: 403, message: 'guardrail', failureClass: 'content-policy' },
    { status: 503, failureClass: 'overloaded' },
  ],
  undocumented: ['which documents it reads: as remembered, not read again'],
};

export const groq: Provider = {
  id: 'groq',
  name: 'Groq',
  description: said('Open models on fast hardware'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://api.groq.com/openai/v1' },
  auth: 'bearer',
  keyRequired: true,
  keyHint: 'gsk_…',
  keyPattern: '^gsk_',
  keyUrl: 'https://console.groq.com/keys',
  billingUrl: 'https://console.groq.com/settings/billing',
  probe: { method: 'GET', path: '/models', provesKey: true },
  modelsPath: '/models',
  pricesId: 'groq',
  sharedLimits: true,
  rateLimits: { refills: true, cachedFree: true },
  modelSpelling: 'dots',
  dialect: {
    reasoningField: 'reasoning', documents: false,
    dropFields: ['logprobs', 'top_logprobs', 'logit_bias'],
    messageFields: {
      system: ['role', 'content'], developer: ['role', 'content'], user: ['role', 'content'], assistant: ['role', 'content', 'tool_calls', 'function_call', 'reasoning'], tool: ['role', 'content', 'tool_call_id'], function: ['role', 'content', 'name'],
    },
    models: [{ names: /llama|kimi-k2-instruct/, efforts: [] }],
  },
  sources: [
    { of: ['address', 'keys', 'models', 'errors', 'reasoningField'], url: 'https://www.npmjs.com/package/groq-sdk/v/1.6.0', read: '2026-11-20' },
    { of: ['messageFields'], url: 'https://github.com/tashfeenahmed/freellmapi/issues/1070', read: '2026-11-27' },
    { of: ['dropFields'], url: 'https://console.groq.com/docs/openai', read: '2026-11-20', secondary: true },
    { of: ['models'], url: 'https://github.com/vercel/ai/pull/8057', read: '2026-11-27' },
  ],
  errorRules: [
    { code: 'capacity_exceeded', failureClass: 'overloaded' },
    { status: 503, failureClass: 'overloaded' },
  ],
  undocumented: ['which documents it reads: as remembered, not read again'],
};

export const openaiCompatible: Provider = {
  id: 'openai-compatible',
  name: 'OpenAI-compatible',
  description: said('Any server that speaks OpenAI chat completions: vLLM, a relay, a gateway'),
  protocol: 'openai-chat',
  baseUrls: {},
  auth: 'bearer',
  keyRequired: false,
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  // Older servers know only this name of the output limit; newer ones still accept it.
  dialect: { maxTokensField: 'max_tokens' },
};

export const anthropicCompatible: Provider = {
  id: 'anthropic-compatible',
  name: 'Anthropic-compatible',
  description: said('Any server that speaks Anthropic messages'),
  protocol: 'anthropic-messages',
  baseUrls: {},
  auth: 'x-api-key',
  keyRequired: false,
  probe: { method: 'GET', path: '/v1/models', provesKey: false },
  modelsPath: '/v1/models',
  dialect: {},
};
