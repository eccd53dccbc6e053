import type { Provider } from './provider.ts';

/*
 * Providers that serve other vendors' models: relays, inference clouds and compatible servers of any kind.
 */

export const holysheep: Provider = {
  id: 'holysheep',
  name: 'HolySheep',
  description: 'A relay for many vendors; its prices are yours to enter',
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
  dialect: { maxTokensField: 'max_tokens' },
};

export const openrouter: Provider = {
  id: 'openrouter',
  name: 'OpenRouter',
  description: 'Models of many vendors with one key and one balance',
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
  dialect: { maxTokensField: 'max_tokens', reasoningField: 'reasoning' },
  errorRules: [
    // What its own guard refuses; the key and the model are fine.
    { status: 403, message: 'flagged', failureClass: 'content-policy' },
    { status: 403, message: 'moderation', failureClass: 'content-policy' },
    { status: 403, message: 'guardrail', failureClass: 'content-policy' },
    { status: 503, failureClass: 'overloaded' },
  ],
};

export const groq: Provider = {
  id: 'groq',
  name: 'Groq',
  description: 'Open models on fast hardware',
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
  modelSpelling: 'dots',
  dialect: { reasoningField: 'reasoning' },
  errorRules: [
    { code: 'capacity_exceeded', failureClass: 'overloaded' },
    { status: 503, failureClass: 'overloaded' },
  ],
};

export const openaiCompatible: Provider = {
  id: 'openai-compatible',
  name: 'OpenAI-compatible',
  description: 'Any server that speaks OpenAI chat completions: vLLM, a relay, a gateway',
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
  description: 'Any server that speaks Anthropic messages',
  protocol: 'anthropic-messages',
  baseUrls: {},
  auth: 'x-api-key',
  keyRequired: false,
  probe: { method: 'GET', path: '/v1/models', provesKey: false },
  modelsPath: '/v1/models',
  dialect: {},
};
