import { said } from '../api/localization/said.ts';
import type { ModelRule } from '../protocols/codec.ts';
import type { FactSource, Provider } from './provider.ts';
import { relayDialect, relaySources } from './relays.ts';

/*
 * Servers that people run themselves: on this machine, in their network, or for a company. Those that run models take timers for slow
 * first tokens and cost nothing; gateways before other providers do not.
 */

const page = { read: '2026-11-27' } as const;

/** What chat templates of well-known open models want, whoever serves them: their own templates refuse it. */
export const templateRules: readonly ModelRule[] = [
  { names: /(?:^|[-_.])(?:mistral|ministral|devstral|magistral|mixtral|codestral|gemma)/, roles: 'in-turn' },
  { names: /qwen-?3\.[5-9]/, roles: 'instructions-first' },
];

export const templateSources: readonly FactSource[] = [
  { of: ['models'], url: 'https://github.com/mistralai/mistral-vibe/issues/1006', ...page },
  { of: ['models'], url: 'https://github.com/idiap/sdialog/issues/122', ...page },
  { of: ['models'], url: 'https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/1586', ...page },
];

/** Anthropic's protocol and Responses came with a later version, so they are spoken only where `protocol` says so. */
export const vllm: Provider = {
  id: 'vllm',
  name: 'vLLM',
  description: said('Models that you serve with vLLM'),
  protocol: 'openai-chat',
  baseUrls: {
    'openai-chat': 'http://127.0.0.1:8000/v1',
    'openai-responses': 'http://127.0.0.1:8000/v1',
    'anthropic-messages': 'http://127.0.0.1:8000',
  },
  auth: 'bearer',
  keyRequired: false,
  local: true,
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  dialect: { maxTokensField: 'max_tokens', reasoningField: 'reasoning', documents: false, models: templateRules },
  sources: [
    { of: ['address', 'models'], url: 'https://docs.vllm.ai/en/v0.32.0/serving/online_serving/', ...page },
    { of: ['errors', 'maxTokensField'], url: 'https://github.com/vllm-project/vllm/blob/002032ee2b18e1f7bd924ec47b62504ba3866063/vllm/entrypoints/openai/chat_completion/protocol.py', ...page },
    { of: ['reasoningField'], url: 'https://github.com/vllm-project/vllm/blob/002032ee2b18e1f7bd924ec47b62504ba3866063/vllm/entrypoints/openai/chat_completion/protocol.py', ...page },
    ...templateSources,
  ],
  undocumented: ['documents: as remembered, not read'],
  errorRules: [{ status: 503, failureClass: 'overloaded' }],
};

export const llamaCpp: Provider = {
  id: 'llamacpp',
  aliases: ['llama.cpp', 'llama-cpp', 'llama-server'],
  name: 'llama.cpp',
  description: said('A model that you serve with llama-server'),
  protocol: 'openai-chat',
  baseUrls: {
    'openai-chat': 'http://127.0.0.1:8080/v1',
    'openai-responses': 'http://127.0.0.1:8080/v1',
    'anthropic-messages': 'http://127.0.0.1:8080',
  },
  auth: 'bearer',
  keyRequired: false,
  local: true,
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  dialect: {
    maxTokensField: 'max_tokens', reasoningField: 'reasoning_content', documents: false, logprobsWithTools: false, assistantLast: 'without-thinking',
    imageTypes: ['image/jpeg', 'image/png', 'image/gif', 'image/bmp'], models: templateRules,
  },
  sources: [
    { of: ['documents', 'logprobsWithTools', 'assistantLast'], url: 'https://github.com/ggml-org/llama.cpp/blob/006639c3ff51a3dbde5f52ebf4c5a55ad5306caf/tools/server/server-common.cpp', ...page },
    { of: ['imageTypes'], url: 'https://github.com/cline/cline/issues/8977', ...page },
    { of: ['imageTypes'], url: 'https://github.com/potato-os/core/pull/89', ...page },
    ...templateSources,
    { of: ['address', 'models', 'reasoningField', 'errors'], url: 'https://github.com/ggml-org/llama.cpp/blob/00dc8057ab28c9cb4c79a6dd6dfce07fe779f63b/tools/server/README.md', ...page },
  ],
  // The model is being loaded.
  errorRules: [{ status: 503, failureClass: 'overloaded' }],
};

export const sglang: Provider = {
  id: 'sglang',
  name: 'SGLang',
  description: said('Models that you serve with SGLang'),
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'http://127.0.0.1:30000/v1', 'anthropic-messages': 'http://127.0.0.1:30000' },
  auth: 'bearer',
  keyRequired: false,
  local: true,
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  dialect: { maxTokensField: 'max_tokens', reasoningField: 'reasoning_content', documents: false, adaptiveThinking: false, models: templateRules },
  sources: [
    { of: ['documents', 'adaptiveThinking'], url: 'https://github.com/sgl-project/sglang/blob/032977b33269eb2154f0df461840301ed8157d43/python/sglang/srt/entrypoints/anthropic/protocol.py', ...page },
    ...templateSources,
    { of: ['address'], url: 'https://docs.sglang.io/docs/basic_usage/anthropic_api', ...page },
    { of: ['address'], url: 'https://mintlify.com/sgl-project/sglang/quickstart', ...page, secondary: true },
  ],
  errorRules: [{ status: 503, failureClass: 'overloaded' }],
};

/** What it charges is known to it alone, so there are no built-in prices; not marked `local`, because it stands before hosted providers. */
export const litellm: Provider = {
  id: 'litellm',
  name: 'LiteLLM proxy',
  description: said('A LiteLLM proxy of yours, with its virtual keys and budgets'),
  protocol: 'openai-chat',
  baseUrls: {},
  baseUrlExample: 'http://127.0.0.1:4000/v1',
  protocolsAnywhere: ['openai-responses', 'anthropic-messages'],
  protocolRules: [
    { protocol: 'anthropic-messages', models: /^claude-/, when: 'caller' },
    { protocol: 'openai-responses', models: /^(?:gpt-|o\d|codex-)/, when: 'caller' },
  ],
  auth: 'bearer',
  keyRequired: false,
  probe: { method: 'GET', path: '/models', provesKey: true },
  modelsPath: '/models',
  dialect: {
    ...relayDialect,
    models: [
      ...relayDialect.models,
      // "litellm.UnsupportedParamsError: … does not support parameters", unless its owner set `drop_params`.
      { names: /^(?:o\d|gpt-5(?!.*chat))/, dropFields: ['top_p', 'presence_penalty', 'frequency_penalty'] },
      { names: /^claude-/, dropFields: ['n', 'seed', 'logprobs', 'top_logprobs', 'logit_bias', 'frequency_penalty', 'presence_penalty', 'verbosity', 'store'] },
    ],
  },
  sources: [
    ...relaySources,
    { of: ['models'], url: 'https://github.com/BerriAI/litellm/pull/33738', ...page },
    { of: ['models'], url: 'https://github.com/mcdonc/klangk/pull/2067', ...page },
    { of: ['address', 'keys'], url: 'https://litellm.vercel.app/docs/proxy/temporary_budget_increase.md', ...page },
    { of: ['errors'], url: 'https://huggingface.co/spaces/Shyamnath/inferencing-llm/raw/main/litellm/proxy/hooks/max_budget_limiter.py', ...page, secondary: true },
  ],
  errorRules: [
    { code: 'budget_exceeded', failureClass: 'quota' },
    { message: 'budget has been exceeded', failureClass: 'quota' },
    { message: 'max budget limit reached', failureClass: 'quota' },
    { message: 'invalid model name passed', failureClass: 'model-not-found' },
    { message: 'contextwindowexceedederror', failureClass: 'context-overflow' },
    { message: 'contentpolicyviolationerror', failureClass: 'content-policy' },
    { message: 'no deployments available', failureClass: 'rate-limit' },
  ],
  undocumented: ['which documents it reads: as remembered, not read again'],
};

/**
 * Another Waybill: of a colleague, in a container, or for a team. Every protocol goes through as its caller speaks it. Not marked
 * `local`, because the providers behind it are hosted; its costs are in its own ledger.
 */
export const waybill: Provider = {
  id: 'waybill',
  name: 'Another Waybill',
  description: said('The local endpoint of another Waybill, by its token; its routes are models here'),
  protocol: 'openai-chat',
  baseUrls: {},
  baseUrlExample: 'http://127.0.0.1:7717/v1',
  protocolsAnywhere: ['openai-responses', 'anthropic-messages', 'gemini'],
  protocolRules: [
    { protocol: 'anthropic-messages', when: 'caller' },
    { protocol: 'openai-responses', when: 'caller' },
    { protocol: 'gemini', when: 'caller' },
  ],
  auth: 'bearer',
  keyRequired: true,
  keyHint: 'waybill-…',
  keyPattern: '^waybill-',
  probe: { method: 'GET', path: '/models', provesKey: true },
  modelsPath: '/models',
  dialect: {},
};
