import { said } from '../api/localization/said.ts';
import type { Provider } from './provider.ts';

/*
 * Clouds that run open models of many makers. GitHub Models is none of them: it was retired on 2026-07-30
 * (github.com/orgs/community/discussions/203602), so tokens of GitHub are recognised and belong to no provider.
 * Error rules are only those that the common rules of the error classifier do not cover.
 */

const quoted = { read: '2026-11-27', secondary: true } as const;
const page = { read: '2026-11-27' } as const;
const neurolink = 'https://github.com/juspay/neurolink/blob/release/src/lib/providers/catalog';

export const together: Provider = {
  id: 'together',
  aliases: ['together-ai', 'togetherai'],
  name: 'Together AI',
  description: said('Open models; a model is named as its maker and its name'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://api.together.ai/v1', 'openai-responses': 'https://api.together.ai/v1' },
  auth: 'bearer',
  keyRequired: true,
  keyUrl: 'https://api.together.ai/settings/api-keys',
  billingUrl: 'https://api.together.ai/settings/billing',
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  pricesId: 'together',
  dialect: { maxTokensField: 'max_tokens', reasoningField: 'reasoning', efforts: ['low', 'medium', 'high'] },
  sources: [
    { of: ['address', 'models'], url: 'https://docs.together.ai/docs/inference/openai-compatibility', ...page },
    { of: ['address'], url: 'https://docs.together.ai/docs/inference/responses-api', ...page },
    { of: ['errors'], url: 'https://docs.together.ai/docs/error-codes', ...page },
    { of: ['efforts'], url: 'https://github.com/togethercomputer/openapi', ...quoted },
  ],
  undocumented: ["an address for Anthropic's protocol", 'a call for the balance'],
  errorRules: [
    // The prompt and the output limit together are longer than the context window.
    { status: 403, message: 'max_tokens', failureClass: 'context-overflow' },
    { status: 403, message: 'token', failureClass: 'context-overflow' },
    { message: 'max_new_tokens', failureClass: 'context-overflow' },
    { status: 503, failureClass: 'overloaded' },
  ],
};

export const fireworks: Provider = {
  id: 'fireworks',
  aliases: ['fireworks-ai'],
  name: 'Fireworks AI',
  description: said('Open models on fast servers'),
  protocol: 'openai-chat',
  baseUrls: {
    'openai-chat': 'https://api.fireworks.ai/inference/v1',
    'openai-responses': 'https://api.fireworks.ai/inference/v1',
    'anthropic-messages': 'https://api.fireworks.ai/inference',
  },
  auth: 'bearer',
  keyRequired: true,
  keyHint: 'fw_…',
  keyPattern: '^fw_',
  keyUrl: 'https://fireworks.ai/account/api-keys',
  billingUrl: 'https://fireworks.ai/account/billing',
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  pricesId: 'fireworks',
  modelSpelling: 'fireworks',
  dialect: {
    maxTokensField: 'max_tokens', reasoningField: 'reasoning_content', reasoningFieldOnly: true, efforts: ['none', 'low', 'medium', 'high', 'max'], toolNames: { shape: /^[a-zA-Z0-9_-]{1,64}$/, longest: 64 }, mostPlainOutputTokens: 4096,
    // Every object of its schema is closed. Streams have their usage without being asked.
    streamUsageOption: false,
    dropFields: ['stream_options', 'store', 'verbosity', 'safety_identifier', 'prompt_cache_retention', 'web_search_options', 'modalities', 'audio'],
    messageFields: { system: ['role', 'content'], user: ['role', 'content'], assistant: ['role', 'content', 'reasoning_content', 'tool_calls'], tool: ['role', 'content', 'tool_call_id'] },
    models: [{ names: /^(?:gpt-oss|minimax-m2)/, efforts: ['low', 'medium', 'high'] }],
  },
  sources: [
    { of: ['efforts', 'models', 'toolNames', 'dropFields', 'messageFields', 'reasoningFieldOnly'], url: 'https://docs.fireworks.ai/api-reference/post-chatcompletions', ...quoted },
    { of: ['dropFields', 'streamUsageOption'], url: 'https://github.com/FlowiseAI/Flowise/issues/2866', ...quoted },
    { of: ['dropFields', 'messageFields'], url: 'https://github.com/web-infra-dev/midscene/issues/1322', ...quoted },
    { of: ['mostPlainOutputTokens'], url: 'https://github.com/nullclaw/nullclaw/pull/231', ...quoted },
    { of: ['address', 'models'], url: 'https://docs.fireworks.ai/tools-sdks/anthropic-compatibility', ...page },
    { of: ['address'], url: 'https://docs.fireworks.ai/nexus/apis-and-sdks', ...page },
    { of: ['errors'], url: 'https://docs.fireworks.ai/guides/inference-error-codes', ...page },
    { of: ['models'], url: `${neurolink}/fireworks.json`, ...quoted },
  ],
  undocumented: ['prices of the address for the United States', 'a call for the balance'],
  errorRules: [
    // Mostly the monthly limit of spend, or an invoice that is not paid.
    { status: 412, message: 'suspended', failureClass: 'quota', scope: 'account' },
    { status: 503, failureClass: 'overloaded' },
  ],
};

export const cerebras: Provider = {
  id: 'cerebras',
  name: 'Cerebras',
  description: said('Open models on wafer-scale hardware'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://api.cerebras.ai/v1' },
  auth: 'bearer',
  keyRequired: true,
  keyHint: 'csk-…',
  keyPattern: '^csk-',
  keyUrl: 'https://cloud.cerebras.ai',
  billingUrl: 'https://cloud.cerebras.ai',
  probe: { method: 'GET', path: '/models', provesKey: true },
  modelsPath: '/models',
  pricesId: 'cerebras',
  // Tokens are metered across an organisation.
  sharedLimits: true,
  dialect: {
    reasoningField: 'reasoning',
    reasoningFieldOnly: true,
    // A field that it does not know is refused.
    dropFields: ['frequency_penalty', 'presence_penalty', 'logit_bias', 'parallel_tool_calls', 'service_tier', 'prompt_cache_key', 'verbosity', 'store', 'metadata', 'safety_identifier', 'prompt_cache_retention', 'web_search_options', 'modalities', 'audio'],
    messageFields: { system: ['role', 'content', 'name'], user: ['role', 'content', 'name'], assistant: ['role', 'content', 'name', 'reasoning', 'tool_calls'], tool: ['role', 'content', 'name', 'tool_call_id'] },
    sameToolStrict: true,
  },
  sources: [
    { of: ['address'], url: 'https://inference-docs.cerebras.ai/resources/openai', ...page },
    { of: ['errors'], url: 'https://inference-docs.cerebras.ai/support/error', ...page },
    { of: ['dropFields'], url: 'https://preview.hex.pm/preview/req_llm/1.10.0/show/guides/cerebras.md', ...quoted },
    { of: ['dropFields'], url: 'https://docs.getbifrost.ai/providers/supported-providers/cerebras', ...quoted },
    { of: ['dropFields'], url: 'https://github.com/agno-agi/agno/issues/4508', ...quoted },
    { of: ['dropFields', 'messageFields'], url: 'https://github.com/anomalyco/opencode/issues/6648', ...quoted },
    { of: ['messageFields'], url: 'https://github.com/Alishahryar1/free-claude-code/issues/1136', ...quoted },
    { of: ['sameToolStrict'], url: 'https://github.com/RooCodeInc/Roo-Code/issues/10334', ...quoted },
    { of: ['reasoningField', 'reasoningFieldOnly'], url: 'https://github.com/proxysoul/Empryo/pull/209', ...quoted },
    { of: ['reasoningFieldOnly'], url: 'https://github.com/Kilo-Org/kilocode/issues/10375', ...quoted },
    { of: ['errors'], url: 'https://github.com/anomalyco/opencode/issues/7463', ...quoted },
    { of: ['keys', 'models'], url: `${neurolink}/cerebras.json`, ...quoted },
  ],
  undocumented: ["an address for Anthropic's protocol", 'a call for the balance'],
  errorRules: [
    { code: 'wrong_api_key', failureClass: 'auth', scope: 'key' },
    { status: 429, code: 'queue_exceeded', failureClass: 'overloaded' },
    // The tokens of a day do not come back in a minute.
    { status: 429, message: 'per day', failureClass: 'quota', scope: 'key-model' },
    { status: 503, failureClass: 'overloaded' },
  ],
};

export const sambanova: Provider = {
  id: 'sambanova',
  name: 'SambaNova',
  description: said('Open models on SambaNova Cloud'),
  protocol: 'openai-chat',
  baseUrls: {
    'openai-chat': 'https://api.sambanova.ai/v1',
    'openai-responses': 'https://api.sambanova.ai/v1',
    'anthropic-messages': 'https://api.sambanova.ai',
  },
  auth: 'bearer',
  keyRequired: true,
  keyUrl: 'https://cloud.sambanova.ai/apis',
  billingUrl: 'https://cloud.sambanova.ai/plans/billing',
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  dialect: { maxTokensField: 'max_tokens', efforts: ['low', 'medium', 'high'], plainContent: true, bytesAndOwnToolsOnly: true, documents: false },
  sources: [
    { of: ['efforts'], url: 'https://github.com/sambanova/sambanova-python', ...quoted },
    { of: ['plainContent'], url: 'https://github.com/musistudio/claude-code-router/issues/965', ...quoted },
    { of: ['bytesAndOwnToolsOnly', 'documents'], url: 'https://docs.sambanova.ai/docs/en/features/messages', ...page },
    { of: ['address'], url: 'https://docs.sambanova.ai/docs/en/features/anthropic-compatibility', ...page },
    { of: ['errors'], url: 'https://docs.sambanova.ai/docs/en/api-reference/using-the-api/api-error-codes', ...page },
    { of: ['errors', 'keys', 'models'], url: `${neurolink}/sambanova.json`, ...quoted },
  ],
  undocumented: ['the shape of keys', 'a list of prices by the vendor', 'whether the list of models wants a key'],
  errorRules: [
    { status: 429, message: 'high demand', failureClass: 'overloaded' },
    { status: 503, failureClass: 'overloaded' },
  ],
};

export const nvidia: Provider = {
  id: 'nvidia',
  aliases: ['nvidia-nim', 'nim'],
  name: 'NVIDIA NIM',
  description: said('Open models on build.nvidia.com; an account may lack models that the list has'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://integrate.api.nvidia.com/v1' },
  auth: 'bearer',
  keyRequired: true,
  keyHint: 'nvapi-…',
  keyPattern: '^nvapi-',
  keyUrl: 'https://build.nvidia.com/settings/api-keys',
  billingUrl: 'https://build.nvidia.com/usage',
  // The list is the same for every account and is readable without a key.
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  dialect: {
    maxTokensField: 'max_tokens', reasoningField: 'reasoning_content',
    dropFields: ['prompt_cache_key', 'prompt_cache_retention', 'store', 'metadata', 'service_tier', 'verbosity', 'safety_identifier', 'web_search_options', 'modalities', 'audio'],
    models: [{ names: /^(?:gemma-2-|nemotron-4-)/, dropFields: ['presence_penalty', 'frequency_penalty'] }],
  },
  sources: [
    { of: ['dropFields'], url: 'https://github.com/sipeed/picoclaw/issues/1019', ...quoted },
    { of: ['dropFields'], url: 'https://github.com/can1357/oh-my-pi/issues/2299', ...quoted },
    { of: ['models'], url: 'https://github.com/Kilo-Org/kilocode/issues/9652', ...quoted },
    { of: ['address', 'keys', 'models'], url: 'https://github.com/juspay/neurolink/blob/release/docs/getting-started/providers/nvidia-nim.md', ...quoted },
    { of: ['errors'], url: 'https://github.com/Alishahryar1/free-claude-code/issues/1021', ...quoted },
    { of: ['errors'], url: 'https://github.com/anomalyco/opencode/issues/44204', ...quoted },
    { of: ['errors'], url: 'https://github.com/decolua/9router/issues/2527', ...quoted },
    { of: ['models'], url: 'https://github.com/gethouston/houston/pull/1243', ...quoted },
  ],
  undocumented: ['prices', 'parameters that a model refuses', "an address for Anthropic's protocol"],
  errorRules: [
    // The account has no right to the model, which others have.
    { status: 404, message: 'not found for account', failureClass: 'model-not-found', scope: 'key-model' },
    { message: 'has reached its end of life', failureClass: 'model-not-found' },
    { message: 'degraded function cannot be invoked', failureClass: 'overloaded' },
  ],
};

export const huggingface: Provider = {
  id: 'huggingface',
  aliases: ['hugging-face', 'hf'],
  name: 'Hugging Face',
  description: said('Models of the Hub, run by the inference providers that Hugging Face routes to'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://router.huggingface.co/v1', 'openai-responses': 'https://router.huggingface.co/v1' },
  auth: 'bearer',
  keyRequired: true,
  keyHint: 'hf_…',
  keyPattern: '^hf_',
  keyUrl: 'https://huggingface.co/settings/tokens',
  billingUrl: 'https://huggingface.co/settings/billing',
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  dialect: { maxTokensField: 'max_tokens' },
  sources: [
    { of: ['address', 'keys'], url: 'https://huggingface.co/docs/inference-providers/guides/responses-api', ...page },
    { of: ['models', 'errors', 'keys'], url: `${neurolink}/huggingface.json`, ...quoted },
    { of: ['errors'], url: 'https://github.com/huggingface/agents-course/issues/386', ...quoted },
  ],
  undocumented: ['the price of a request, which depends on the provider that is routed to', "an address for Anthropic's protocol"],
  errorRules: [
    { message: 'exceeded your monthly included credits', failureClass: 'quota' },
    { message: 'not supported by any provider', failureClass: 'model-not-found' },
    { status: 400, message: 'does not exist', failureClass: 'model-not-found' },
    { message: 'sufficient permissions to call inference providers', failureClass: 'auth', scope: 'key' },
  ],
};

export const cloudflare: Provider = {
  id: 'cloudflare',
  aliases: ['workers-ai', 'cloudflare-workers-ai'],
  name: 'Cloudflare Workers AI',
  description: said('Open models of Workers AI; the address holds the ID of your account'),
  protocol: 'openai-chat',
  baseUrls: {},
  baseUrlExample: 'https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID/ai/v1',
  hosts: ['api.cloudflare.com'],
  auth: 'bearer',
  keyRequired: true,
  keyUrl: 'https://dash.cloudflare.com/profile/api-tokens',
  billingUrl: 'https://dash.cloudflare.com',
  // It has no documented list at this address: an answer of any kind shows that it is there.
  probe: { method: 'GET', path: '/models', provesKey: false },
  pricesId: 'cloudflare',
  // A part of each day is free.
  pricesVary: true,
  dialect: { maxTokensField: 'max_tokens', plainContent: true },
  sources: [
    { of: ['errors'], url: 'https://developers.cloudflare.com/workers-ai/platform/errors/', ...page },
    { of: ['address', 'models', 'keys', 'plainContent'], url: `${neurolink}/cloudflare.json`, ...quoted },
    { of: ['plainContent'], url: 'https://github.com/anomalyco/opencode/issues/30381', ...quoted },
    { of: ['plainContent'], url: 'https://github.com/cloudflare/cloudflare-os/issues/54', ...quoted },
  ],
  undocumented: ['the shape of tokens', "a list of models below the address of OpenAI's protocol"],
  errorRules: [
    // The free part of a day is used up; it comes back at midnight (UTC).
    { code: '3036', failureClass: 'quota' },
    { message: 'daily free allocation', failureClass: 'quota' },
    { code: '3040', failureClass: 'overloaded' },
    { code: '5007', failureClass: 'model-not-found' },
    { code: '3042', failureClass: 'model-not-found' },
    { message: 'no such model', failureClass: 'model-not-found' },
    { code: '3023', failureClass: 'auth', scope: 'account' },
    { code: '5016', failureClass: 'auth', scope: 'key-model' },
    { code: '5018', failureClass: 'auth', scope: 'key-model' },
    { code: '3041', failureClass: 'auth', scope: 'key-model' },
    { code: '5035', failureClass: 'auth', scope: 'key-model' },
  ],
};

export const deepinfra: Provider = {
  id: 'deepinfra',
  aliases: ['deep-infra'],
  name: 'DeepInfra',
  description: said('Open models at low prices, which its list states'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://api.deepinfra.com/v1/openai' },
  auth: 'bearer',
  keyRequired: true,
  keyUrl: 'https://deepinfra.com/dash/api_keys',
  billingUrl: 'https://deepinfra.com/dash/billing',
  // The list is public and proves nothing about the key.
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  dialect: { maxTokensField: 'max_tokens', reasoningField: 'reasoning_content', toolChoices: ['auto', 'none'], plainContent: true, textResultsOnly: true, mostStops: 16 },
  sources: [
    { of: ['toolChoices', 'plainContent', 'textResultsOnly', 'mostStops'], url: 'https://deepinfra.com/google/gemini-2.0-flash-001/api?example=openai-python', ...quoted },
    { of: ['address', 'keys', 'models', 'prices'], url: `${neurolink}/deepinfra.json`, ...quoted },
    { of: ['errors'], url: 'https://github.com/truefoundry/models/pull/862', ...quoted },
  ],
  undocumented: ['the shape of keys', 'bodies of errors but for a busy model', "an address for Anthropic's protocol"],
  errorRules: [{ status: 429, message: 'model busy', failureClass: 'overloaded' }],
};

export const siliconflow: Provider = {
  id: 'siliconflow',
  aliases: ['silicon-flow', 'siliconcloud'],
  name: 'SiliconFlow',
  description: said('Open models; keys of the international and the Chinese platform are not interchangeable'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'https://api.siliconflow.com/v1', 'anthropic-messages': 'https://api.siliconflow.com' },
  regions: [
    { id: 'intl', name: 'International', baseUrl: 'https://api.siliconflow.com/v1', baseUrls: { 'anthropic-messages': 'https://api.siliconflow.com' } },
    { id: 'cn', name: 'China', baseUrl: 'https://api.siliconflow.cn/v1', baseUrls: { 'anthropic-messages': 'https://api.siliconflow.cn' } },
  ],
  auth: 'bearer',
  keyRequired: true,
  keyUrl: 'https://cloud.siliconflow.com/account/ak',
  billingUrl: 'https://cloud.siliconflow.com',
  probe: { method: 'GET', path: '/models', provesKey: true },
  modelsPath: '/models',
  dialect: {
    maxTokensField: 'max_tokens', jsonSchemaOutput: false, reasoningField: 'reasoning_content', thinkingToggle: 'enable-thinking', mostStops: 4, efforts: ['low', 'medium', 'high', 'xhigh', 'max'], toolNames: { shape: /^[a-zA-Z0-9_-]{1,64}$/, longest: 64 },
    messagesToolChoices: ['auto', 'none', 'function'],
    // Models that do not think, or always do.
    models: [{ names: /qwen2|-vl-|hunyuan-mt|deepseek-r1|instruct|^deepseek-v3$/, dropFields: ['enable_thinking', 'thinking_budget'] }],
  },
  sources: [
    { of: ['messagesToolChoices'], url: 'https://docs.siliconflow.cn/cn/docs/api/messages-post', ...page },
    { of: ['models'], url: 'https://github.com/CherryHQ/cherry-studio/issues/6642', ...quoted },
    { of: ['models'], url: 'https://github.com/EatWorld/UmiOCR-AI-OCR-Plugin/issues/39', ...quoted },
    { of: ['mostStops', 'thinkingToggle', 'maxTokensField', 'efforts', 'toolNames'], url: 'https://docs.siliconflow.cn/docs/api/chat-completions-post', ...page },
    { of: ['address'], url: 'https://docs.siliconflow.cn/cn/docs/api/messages-post', ...page },
    { of: ['errors'], url: 'https://docs.siliconflow.cn/cn/faqs/error-code', ...page },
    { of: ['errors'], url: 'https://github.com/FoundationAgents/OpenManus/issues/438', ...quoted },
    { of: ['errors'], url: 'https://github.com/chatboxai/chatbox/issues/2060', ...quoted },
    { of: ['address', 'keys', 'models', 'jsonSchemaOutput'], url: `${neurolink}/siliconflow.json`, ...quoted },
  ],
  undocumented: ['the shape of keys', 'prices that a list states by a call'],
  errorRules: [
    { code: '20012', failureClass: 'model-not-found' },
    { message: 'must be less than max_seq_len', failureClass: 'context-overflow' },
    { code: '30001', failureClass: 'quota' },
    { code: '30011', failureClass: 'quota', scope: 'key-model' },
    { status: 403, message: 'balance', failureClass: 'quota' },
    { code: '30014', failureClass: 'auth', scope: 'key' },
    { status: 503, failureClass: 'overloaded' },
    { status: 504, failureClass: 'overloaded' },
  ],
};
