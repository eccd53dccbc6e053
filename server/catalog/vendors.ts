import { said } from '../api/localization/said.ts';
import type { Dialect } from '../protocols/codec.ts';
import type { ErrorRule, FactSource, ProtocolRule, Provider } from './provider.ts';

/*
 * Vendors that sell their own models. Sources: the vendors' API references, as collected in November 2026. Error
 * rules are only those the common rules of the error classifier do not cover.
 */

/**
 * Which models OpenAI serves only, or with tools only, through Responses: GPT-5.6 and 6.x refuse function tools on Chat
 * unless reasoning is turned off; Codex, `-pro` and research models are not on Chat at all. Source: the vendor's error
 * texts and model pages. A caller of Responses goes through as it is.
 */
export const openAiProtocolRules: readonly ProtocolRule[] = [
  { protocol: 'openai-responses', models: /^gpt-.*-codex|^codex-|^(?:gpt-5|o[13])(?:\.\d)?-pro|deep-research|^computer-use/, when: 'always' },
  { protocol: 'openai-responses', models: /^gpt-(?:5\.[6-9]|[6-9])(?!\d)/, when: 'tools' },
  { protocol: 'openai-responses', when: 'caller' },
];

/** Bounds from OpenAI's error texts and API reference, November 2026; efforts of models as users measured them. */
export const openAiDialect: Dialect = {
  developerRole: true, maxCallIdLength: 40, maxUserLength: 64, commonImagesOnly: true, strictSchemas: true, textResultsOnly: true, minOutputTokens: 16, documents: 'pdf',
  toolNames: { shape: /^[a-zA-Z0-9_-]{1,64}$/, longest: 64 },
  models: [
    { names: /^o[1-9]/, efforts: ['low', 'medium', 'high'], dropFields: ['parallel_tool_calls'] },
    { names: /^gpt-5-pro/, efforts: ['high'] },
    { names: /^gpt-5\.[12]-pro/, efforts: ['medium', 'high', 'xhigh'] },
    { names: /^gpt-5\.(?:1-codex-max|2-codex)/, efforts: ['low', 'medium', 'high', 'xhigh'] },
    { names: /^gpt-5(?:\.1)?-codex(?!-max)/, efforts: ['low', 'medium', 'high'] },
    { names: /^gpt-5(?:-(?:mini|nano))?(?:-\d{4}|$)/, efforts: ['minimal', 'low', 'medium', 'high'] },
    { names: /^gpt-5\.1(?:-\d{4}|$)/, efforts: ['none', 'low', 'medium', 'high'] },
    { names: /^gpt-5\.2(?:-\d{4}|$)/, efforts: ['none', 'low', 'medium', 'high', 'xhigh'] },
    { names: /^(?:gpt-3|gpt-4|chatgpt)/, efforts: [] },
  ],
};

export const openAiSources: readonly FactSource[] = [
  { of: ['address', 'keys', 'models', 'errors', 'developerRole', 'commonImagesOnly'], url: 'https://www.npmjs.com/package/openai/v/7.55.0', read: '2026-11-20' },
  { of: ['maxCallIdLength'], url: 'https://github.com/camel-ai/camel/issues/2215', read: '2026-11-27' },
  { of: ['maxUserLength', 'toolNames', 'textResultsOnly'], url: 'https://platform.openai.com/docs/api-reference/chat/create', read: '2026-11-20', secondary: true },
  { of: ['strictSchemas'], url: 'https://github.com/kevinwatt/mysql-mcp/issues/5', read: '2026-11-27' },
  { of: ['minOutputTokens'], url: 'https://github.com/vectorize-io/hindsight/issues/58', read: '2026-11-27' },
  { of: ['models'], url: 'https://community.openai.com/t/request-for-compatibility-matrix-reasoning-effort-sampling-parameters-across-gpt-5-series/1371738', read: '2026-11-27', secondary: true },
  { of: ['models'], url: 'https://github.com/run-llama/llama_index/issues/20865', read: '2026-11-27' },
];

export const openai: Provider = {
  id: 'openai',
  name: 'OpenAI',
  description: said('GPT models, straight from OpenAI'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://api.openai.com/v1', 'openai-responses': 'https://api.openai.com/v1' },
  auth: 'bearer',
  keyRequired: true,
  keyHint: 'sk-…',
  keyPattern: '^sk-',
  keyUrl: 'https://platform.openai.com/api-keys',
  billingUrl: 'https://platform.openai.com/settings/organization/billing',
  probe: { method: 'GET', path: '/models', provesKey: true },
  modelsPath: '/models',
  pricesId: 'openai',
  sharedLimits: true,
  rateLimits: { refills: true },
  modelSpelling: 'dots',
  protocolRules: openAiProtocolRules,
  dialect: openAiDialect,
  sources: openAiSources,
  undocumented: ['which documents Chat takes: PDF only, as remembered, not read again'],
  errorRules: [
    // It asks for a slower ramp with 429; 503 means that the servers are full.
    { status: 503, failureClass: 'overloaded' },
  ],
};

export const anthropic: Provider = {
  id: 'anthropic',
  name: 'Anthropic',
  description: said('Claude models, straight from Anthropic'),
  protocol: 'anthropic-messages',
  baseUrls: { 'anthropic-messages': 'https://api.anthropic.com' },
  auth: 'x-api-key',
  keyRequired: true,
  keyHint: 'sk-ant-…',
  keyPattern: '^sk-ant-',
  keyUrl: 'https://platform.claude.com/settings/keys',
  billingUrl: 'https://platform.claude.com/settings/billing',
  probe: { method: 'GET', path: '/v1/models?limit=1', provesKey: true },
  modelsPath: '/v1/models?limit=1000',
  pricesId: 'anthropic',
  sharedLimits: true,
  rateLimits: { refills: true, cachedFree: true },
  modelSpelling: 'dashes',
  dialect: { maxImageLength: 5 * 1024 * 1024 },
  sources: [
    { of: ['maxImageLength'], url: 'https://github.com/lobehub/lobehub/pull/14711', read: '2026-11-27' },
    { of: ['address', 'keys', 'models', 'errors'], url: 'https://platform.claude.com/docs/en/api/overview', read: '2026-11-20' },
  ],
  errorRules: [
    // A spending limit set in the console is reported as a wrong request.
    { status: 400, message: 'usage limits', failureClass: 'quota' },
    { code: 'ramp_limit_exceeded', failureClass: 'rate-limit' },
    { code: 'permission_error', failureClass: 'auth' },
    { code: 'not_found_error', failureClass: 'model-not-found' },
  ],
};

/** Of all addresses of Google's. */
export const googleErrorRules: readonly ErrorRule[] = [
  // The country or the billing account, not the request.
  { status: 400, code: 'FAILED_PRECONDITION', failureClass: 'auth' },
  { status: 429, code: 'quota_exceeded', failureClass: 'quota' },
  // A used-up day (or a model without a free tier) does not come back in minutes. Both are counted by model.
  { status: 429, codePart: 'PerDay', failureClass: 'quota', scope: 'key-model' },
  { status: 429, message: 'PerDay', failureClass: 'quota', scope: 'key-model' },
  { status: 429, message: 'limit: 0,', failureClass: 'quota', scope: 'key-model' },
  { status: 503, failureClass: 'overloaded' },
];

export const gemini: Provider = {
  id: 'gemini',
  aliases: ['google'],
  name: 'Google Gemini',
  description: said('Gemini models from Google AI Studio'),
  protocol: 'gemini',
  baseUrls: {
    'gemini': 'https://generativelanguage.googleapis.com',
    'openai-chat': 'https://generativelanguage.googleapis.com/v1beta/openai',
  },
  auth: 'x-goog-api-key',
  authByProtocol: { 'openai-chat': 'bearer' },
  keyRequired: true,
  keyHint: 'AQ.… or AIza…',
  keyPattern: '^(?:AQ\\.|AIza)',
  keyUrl: 'https://aistudio.google.com/apikey',
  billingUrl: 'https://aistudio.google.com/usage',
  // Lists models for a key that may still be refused at generating; nothing cheaper proves more.
  probe: { method: 'GET', path: '/v1beta/models?pageSize=1', provesKey: true },
  modelsPath: '/v1beta/models?pageSize=1000',
  pricesId: 'google',
  modelSpelling: 'dots',
  dialect: { maxTokensField: 'max_tokens' },
  sources: [
    { of: ['address', 'keys', 'models', 'errors'], url: 'https://ai.google.dev/api', read: '2026-11-20' },
    { of: ['maxTokensField'], url: 'https://ai.google.dev/gemini-api/docs/openai', read: '2026-11-20', secondary: true },
  ],
  errorRules: googleErrorRules,
};

export const deepseek: Provider = {
  id: 'deepseek',
  name: 'DeepSeek',
  description: said('DeepSeek models, straight from DeepSeek'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://api.deepseek.com', 'anthropic-messages': 'https://api.deepseek.com/anthropic' },
  auth: 'bearer',
  keyRequired: true,
  keyHint: 'sk-…',
  keyPattern: '^sk-',
  keyUrl: 'https://platform.deepseek.com/api_keys',
  billingUrl: 'https://platform.deepseek.com/top_up',
  probe: { method: 'GET', path: '/models', provesKey: true },
  modelsPath: '/models',
  pricesId: 'deepseek',
  // The number of concurrent requests is counted per account.
  sharedLimits: true,
  modelSpelling: 'dots',
  dialect: {
    maxTokensField: 'max_tokens',
    maxTokensFieldOnly: true,
    // "This response_format type is unavailable now" is its answer to a schema.
    jsonSchemaOutput: false,
    toolNames: { shape: /^[a-zA-Z0-9_-]{1,64}$/, longest: 64 },
    reasoningField: 'reasoning_content',
    reasoningRequiredWithTools: true,
    thinkingToggle: 'thinking-type',
    efforts: ['low', 'high', 'max'],
    // "Thinking mode does not support this tool_choice": BerriAI/litellm#37470, cloudwego/eino#994, read 2026-11-27.
    forcedChoiceWithoutThinking: true,
    documents: false,
    redactedThinking: false,
  },
  sources: [
    { of: ['documents', 'redactedThinking'], url: 'https://api-docs.deepseek.com/guides/anthropic_api', read: '2026-11-27' },
    { of: ['reasoningRequiredWithTools'], url: 'https://github.com/decolua/9router/issues/2397', read: '2026-11-27' },
    { of: ['address', 'keys', 'models', 'efforts', 'thinkingToggle', 'reasoningField', 'reasoningRequiredWithTools', 'prices'], url: 'https://api-docs.deepseek.com/guides/thinking_mode', read: '2026-11-15' },
    { of: ['jsonSchemaOutput'], url: 'https://github.com/llm-exe/llm-exe/issues/662', read: '2026-11-27' },
    { of: ['forcedChoiceWithoutThinking'], url: 'https://github.com/BerriAI/litellm/issues/37470', read: '2026-11-27' },
    { of: ['forcedChoiceWithoutThinking'], url: 'https://github.com/cloudwego/eino/issues/994', read: '2026-11-27' },
    { of: ['maxTokensField', 'toolNames'], url: 'https://api-docs.deepseek.com/api/create-chat-completion', read: '2026-11-15' },
  ],
  errorRules: [{ status: 503, failureClass: 'overloaded' }],
};

export const moonshot: Provider = {
  id: 'moonshot',
  aliases: ['kimi', 'moonshotai'],
  name: 'Moonshot Kimi',
  description: said('Kimi models; keys of the international and the Chinese platform are not interchangeable'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://api.moonshot.ai/v1' },
  regions: [
    { id: 'intl', name: 'International', baseUrl: 'https://api.moonshot.ai/v1' },
    { id: 'cn', name: 'China', baseUrl: 'https://api.moonshot.cn/v1' },
  ],
  auth: 'bearer',
  keyRequired: true,
  keyHint: 'sk-…',
  keyPattern: '^sk-',
  keyUrl: 'https://platform.kimi.ai/console/api-keys',
  billingUrl: 'https://platform.kimi.ai/console',
  probe: { method: 'GET', path: '/models', provesKey: true },
  modelsPath: '/models',
  pricesId: 'moonshotai',
  modelSpelling: 'dots',
  dialect: {
    reasoningField: 'reasoning_content',
    reasoningRequiredWithTools: true,
    // Sampling is fixed by the platform; other values are refused.
    dropFields: ['temperature', 'top_p', 'n', 'presence_penalty', 'frequency_penalty'],
    efforts: ['low', 'high', 'max'],
    toolStrict: false,
    // "must start with a letter and can contain letters, numbers, underscores, and dashes".
    toolNames: { shape: /^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/, longest: 64 },
    noEmptyAssistant: true,
    documents: false,
    // These think, and "tool_choice 'required' is incompatible with thinking enabled".
    models: [{ names: /^kimi-k(?:2\.[5-9]|[3-9])/, forcedToolChoice: false }],
  },
  sources: [
    { of: ['address', 'keys', 'errors', 'reasoningField'], url: 'https://platform.kimi.ai/docs', read: '2026-11-20' },
    { of: ['dropFields', 'efforts', 'toolStrict'], url: 'https://www.npmjs.com/package/@ai-sdk/moonshotai/v/3.0.60', read: '2026-11-20', secondary: true },
    { of: ['reasoningRequiredWithTools'], url: 'https://github.com/mastra-ai/mastra/issues/12592', read: '2026-11-27' },
    { of: ['toolNames'], url: 'https://github.com/MoonshotAI/kimi-cli/issues/1773', read: '2026-11-27' },
    { of: ['models'], url: 'https://github.com/theopenco/llmgateway/pull/2090', read: '2026-11-27' },
  ],
  undocumented: ['whether empty messages of the assistant are still refused: they are left out to be safe', 'documents on Chat: as remembered, not read again'],
  errorRules: [
    { code: 'permission_denied_error', failureClass: 'auth' },
    { code: 'resource_not_found_error', failureClass: 'model-not-found' },
  ],
};

const mistralSources: readonly FactSource[] = [
  { of: ['address', 'keys', 'models', 'errors', 'seedField', 'efforts', 'assistantLast'], url: 'https://www.npmjs.com/package/@mistralai/mistralai/v/2.7.0', read: '2026-11-20' },
  { of: ['knownFields', 'dropFields', 'streamUsageOption'], url: 'https://github.com/OpenHands/OpenHands-CLI/issues/83', read: '2026-11-27' },
  { of: ['maxTokensField'], url: 'https://github.com/editor-code-assistant/eca/issues/231', read: '2026-11-27' },
  { of: ['messageFields'], url: 'https://github.com/charmbracelet/crush/issues/1590', read: '2026-11-27' },
  { of: ['assistantAfterTools'], url: 'https://github.com/BerriAI/litellm/issues/17761', read: '2026-11-27' },
];

export const mistral: Provider = {
  id: 'mistral',
  name: 'Mistral',
  description: said('Mistral, Codestral and Devstral models'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://api.mistral.ai/v1' },
  auth: 'bearer',
  keyRequired: true,
  keyUrl: 'https://console.mistral.ai/api-keys',
  billingUrl: 'https://admin.mistral.ai/organization/billing',
  probe: { method: 'GET', path: '/models', provesKey: true },
  modelsPath: '/models',
  pricesId: 'mistral',
  sharedLimits: true,
  modelSpelling: 'dashes',
  dialect: {
    maxTokensField: 'max_tokens',
    maxTokensFieldOnly: true,
    assistantLast: 'prefix',
    // Its streams always end with usage, and unknown fields are refused.
    streamUsageOption: false,
    shortCallIds: true,
    seedField: 'random_seed',
    dropFields: ['user', 'safety_identifier', 'logprobs', 'top_logprobs', 'verbosity', 'store'],
    knownFields: [
      'model', 'messages', 'temperature', 'top_p', 'max_tokens', 'stream', 'stop', 'random_seed', 'response_format', 'tools', 'tool_choice', 'presence_penalty', 'frequency_penalty', 'n', 'prediction', 'parallel_tool_calls',
      'prompt_mode', 'reasoning_effort', 'safe_prompt', 'guardrails', 'prompt_cache_key', 'service_tier',
    ],
    messageFields: { system: ['role', 'content'], user: ['role', 'content'], assistant: ['role', 'content', 'tool_calls', 'prefix'], tool: ['role', 'content', 'tool_call_id', 'name'] },
    toolNames: { shape: /^[a-zA-Z0-9_-]{1,64}$/, longest: 64 },
    assistantAfterTools: true,
    noEmptyAssistant: true,
    highestTemperature: 1.5,
    documents: false,
    efforts: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'],
  },
  sources: mistralSources,
  undocumented: ['the form of call ids and names of tools, the highest temperature, documents, and empty messages of the assistant: known from error texts only, not read again'],
};

/** Keys of this address are a kind of their own; what it charges is not published, so it has no built-in prices. */
export const codestral: Provider = {
  id: 'codestral',
  name: 'Codestral',
  description: said("Mistral's address for code completion, with keys of its own"),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://codestral.mistral.ai/v1' },
  auth: 'bearer',
  keyRequired: true,
  keyUrl: 'https://console.mistral.ai/codestral',
  billingUrl: 'https://admin.mistral.ai/organization/billing',
  // It has no documented list: an answer of any kind shows that it is there.
  probe: { method: 'GET', path: '/models', provesKey: false },
  sharedLimits: true,
  modelSpelling: 'dashes',
  dialect: mistral.dialect,
  sources: mistralSources,
  undocumented: ['the form of call ids and names of tools, the highest temperature, documents, and empty messages of the assistant: known from error texts only, not read again'],
};

export const xai: Provider = {
  id: 'xai',
  aliases: ['x-ai', 'grok'],
  name: 'xAI',
  description: said('Grok models, straight from xAI'),
  // The vendor's main protocol; Chat is kept for those who speak it.
  protocol: 'openai-responses',
  baseUrls: { 'openai-responses': 'https://api.x.ai/v1', 'openai-chat': 'https://api.x.ai/v1' },
  protocolRules: [{ protocol: 'openai-chat', when: 'caller' }],
  regions: [
    { id: 'global', name: 'Global', baseUrl: 'https://api.x.ai/v1' },
    { id: 'us', name: 'United States (10 % dearer, few models)', baseUrl: 'https://us.api.x.ai/v1', priceFactor: 1.1 },
  ],
  auth: 'bearer',
  keyRequired: true,
  keyHint: 'xai-…',
  keyPattern: '^xai-',
  keyUrl: 'https://console.x.ai',
  billingUrl: 'https://console.x.ai',
  probe: { method: 'GET', path: '/models', provesKey: true },
  modelsPath: '/models',
  pricesId: 'x-ai',
  modelSpelling: 'dots',
  // Chat counts leave reasoning out; Responses counts hold it.
  dialect: {
    reasoningField: 'reasoning_content', reasoningBesideOutput: true, customTools: false, efforts: ['none', 'low', 'medium', 'high'],
    imageTypes: ['image/jpeg', 'image/png'], documents: false,
    models: [
      { names: /^grok-(?:3-mini|4|code)(?!.*non-reasoning)/, dropFields: ['presence_penalty', 'frequency_penalty', 'stop'] },
      { names: /^grok-4(?:\.20|-0709|-fast|-1|$)/, efforts: [] },
    ],
  },
  sources: [
    { of: ['address', 'keys', 'reasoningField', 'reasoningBesideOutput', 'efforts'], url: 'https://www.npmjs.com/package/@ai-sdk/xai/v/5.0.12', read: '2026-11-20', secondary: true },
    { of: ['models'], url: 'https://github.com/langchain-ai/langchain/pull/38335', read: '2026-11-27' },
    { of: ['models'], url: 'https://github.com/open-webui/open-webui/issues/21266', read: '2026-11-27' },
  ],
  undocumented: ['types of pictures, documents and free-text tools: as remembered, not read again'],
  errorRules: [
    // A used-up balance comes as a rate limit, a wrong key as a wrong request.
    { status: 429, message: 'monthly spending limit', failureClass: 'quota' },
    { status: 400, message: 'api key', failureClass: 'auth' },
  ],
};

/**
 * The vendor's Agent API, which speaks Responses; its Sonar models on Chat ended on 2026-09-27. Its own models search the web by
 * themselves, which costs a fee beside the tokens.
 */
export const perplexity: Provider = {
  id: 'perplexity',
  aliases: ['pplx'],
  name: 'Perplexity',
  description: said('Sonar and models of other makers, through the Agent API'),
  protocol: 'openai-responses',
  baseUrls: { 'openai-responses': 'https://api.perplexity.ai/v1' },
  auth: 'bearer',
  keyRequired: true,
  keyHint: 'pplx-…',
  keyPattern: '^pplx-',
  keyUrl: 'https://www.perplexity.ai/settings/api',
  billingUrl: 'https://www.perplexity.ai/settings/api',
  // Whether it has a list is not documented where it was looked for: an answer of any kind shows that it is there.
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  makerPrefix: true,
  dialect: { customTools: false, plainItems: true, efforts: ['low', 'medium', 'high'], developerRole: true },
  sources: [
    { of: ['plainItems', 'efforts', 'developerRole'], url: 'https://docs.perplexity.ai/api-reference/responses-post', read: '2026-11-27', secondary: true },
    { of: ['address', 'models'], url: 'https://docs.stigg.io/documentation/ai-agents/llm-wrappers/providers/perplexity', read: '2026-11-27', secondary: true },
    { of: ['address', 'models'], url: 'https://www.truefoundry.com/docs/change-announcements/perplexity-agent-api-migration', read: '2026-11-27', secondary: true },
    { of: ['address'], url: 'https://github.com/vercel/ai/releases/tag/@ai-sdk%2Fperplexity@3.1.0', read: '2026-11-27', secondary: true },
    { of: ['keys', 'errors'], url: 'https://github.com/jeremylongshore/claude-code-plugins-plus-skills/blob/main/plugins/saas-packs/perplexity-pack/skills/perplexity-common-errors/SKILL.md', read: '2026-11-27', secondary: true },
  ],
  undocumented: ['a list of models by a call', 'prices of the Agent API', 'parameters that are refused', 'a call for the balance'],
};
