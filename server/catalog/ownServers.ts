import type { Provider } from './provider.ts';

/*
 * Servers that people run themselves: on this machine, in their network, or for a company. Those that run models take timers for slow
 * first tokens and cost nothing; gateways before other providers do not.
 */

const page = { read: '2026-11-27' } as const;

/** Anthropic's protocol and Responses came with a later version, so they are spoken only where `protocol` says so. */
export const vllm: Provider = {
  id: 'vllm',
  name: 'vLLM',
  description: 'Models that you serve with vLLM',
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
  dialect: { maxTokensField: 'max_tokens', reasoningField: 'reasoning' },
  sources: [{ of: ['address', 'models'], url: 'https://docs.vllm.ai/en/v0.32.0/serving/online_serving/', ...page }],
  errorRules: [{ status: 503, failureClass: 'overloaded' }],
};

export const llamaCpp: Provider = {
  id: 'llamacpp',
  aliases: ['llama.cpp', 'llama-cpp', 'llama-server'],
  name: 'llama.cpp',
  description: 'A model that you serve with llama-server',
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
  dialect: { maxTokensField: 'max_tokens', reasoningField: 'reasoning_content' },
  sources: [{ of: ['address', 'models', 'reasoningField', 'errors'], url: 'https://github.com/ggml-org/llama.cpp/blob/00dc8057ab28c9cb4c79a6dd6dfce07fe779f63b/tools/server/README.md', ...page }],
  // The model is being loaded.
  errorRules: [{ status: 503, failureClass: 'overloaded' }],
};

export const sglang: Provider = {
  id: 'sglang',
  name: 'SGLang',
  description: 'Models that you serve with SGLang',
  protocol: 'openai-chat',
  baseUrls: { 'openai-chat': 'http://127.0.0.1:30000/v1', 'anthropic-messages': 'http://127.0.0.1:30000' },
  auth: 'bearer',
  keyRequired: false,
  local: true,
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  dialect: { maxTokensField: 'max_tokens', reasoningField: 'reasoning_content' },
  sources: [
    { of: ['address'], url: 'https://docs.sglang.io/docs/basic_usage/anthropic_api', ...page },
    { of: ['address'], url: 'https://mintlify.com/sgl-project/sglang/quickstart', ...page, secondary: true },
  ],
  errorRules: [{ status: 503, failureClass: 'overloaded' }],
};

/** What it charges is known to it alone, so there are no built-in prices; not marked `local`, because it stands before hosted providers. */
export const litellm: Provider = {
  id: 'litellm',
  name: 'LiteLLM proxy',
  description: 'A LiteLLM proxy of yours, with its virtual keys and budgets',
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
  dialect: { maxTokensField: 'max_tokens' },
  sources: [
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
};

/**
 * Another Waybill: of a colleague, in a container, or for a team. Every protocol goes through as its caller speaks it. Not marked
 * `local`, because the providers behind it are hosted; its costs are in its own ledger.
 */
export const waybill: Provider = {
  id: 'waybill',
  name: 'Another Waybill',
  description: 'The local endpoint of another Waybill, by its token; its routes are models here',
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
