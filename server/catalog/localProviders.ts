import { simulatedProvider } from '../api/firstRun/simulated.ts';
import { said } from '../api/localization/said.ts';
import type { Provider } from './provider.ts';
import { templateRules, templateSources } from './ownServers.ts';
import { openAiDialect } from './vendors.ts';

/*
 * Providers that run on the user's machine: no bill, no key unless one was set up, and slow first tokens while a
 * model is loaded. Their addresses name 127.0.0.1, where they listen, so that nothing has to be looked up.
 */

export const ollama: Provider = {
  id: 'ollama',
  name: 'Ollama',
  description: said('Models on this machine, served by Ollama'),
  protocol: 'openai-chat',
  baseUrls: {
    'openai-chat': 'http://127.0.0.1:11434/v1',
    'openai-responses': 'http://127.0.0.1:11434/v1',
    'anthropic-messages': 'http://127.0.0.1:11434',
  },
  auth: 'bearer',
  keyRequired: false,
  local: true,
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  modelDetailsPath: '/api/show',
  dialect: {
    maxTokensField: 'max_tokens', reasoningField: 'reasoning', documents: false, imageBytesOnly: true, imageTypes: ['image/jpeg', 'image/png', 'image/webp'], efforts: ['none', 'low', 'medium', 'high'],
    jsonArguments: true, models: templateRules,
  },
  sources: [
    { of: ['documents', 'imageBytesOnly', 'imageTypes', 'efforts', 'jsonArguments'], url: 'https://github.com/ollama/ollama/blob/00988753ff743bf26117964f6e43f9ebf10bce30/openai/openai.go', read: '2026-11-27' },
    ...templateSources,
    { of: ['address', 'models', 'maxTokensField', 'reasoningField'], url: 'https://docs.ollama.com/api/openai-compatibility', read: '2026-11-20' },
  ],
};

export const lmStudio: Provider = {
  id: 'lmstudio',
  aliases: ['lm-studio'],
  name: 'LM Studio',
  description: said('Models on this machine, served by LM Studio'),
  protocol: 'openai-chat',
  baseUrls: {
    'openai-chat': 'http://127.0.0.1:1234/v1',
    'openai-responses': 'http://127.0.0.1:1234/v1',
    'anthropic-messages': 'http://127.0.0.1:1234',
  },
  auth: 'bearer',
  keyRequired: false,
  local: true,
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  dialect: {
    maxTokensField: 'max_tokens', reasoningField: 'reasoning_content', documents: false, imageBytesOnly: true, imageTypes: ['image/jpeg', 'image/png'], jsonObjectOutput: false,
    toolChoices: ['auto', 'none', 'required'], textFormatNeeded: true, models: templateRules,
  },
  sources: [
    { of: ['toolChoices'], url: 'https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/670', read: '2026-11-27' },
    { of: ['jsonObjectOutput'], url: 'https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/189', read: '2026-11-27' },
    { of: ['textFormatNeeded'], url: 'https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/1576', read: '2026-11-27' },
    { of: ['imageTypes', 'imageBytesOnly'], url: 'https://github.com/agentscope-ai/QwenPaw/issues/3658', read: '2026-11-27' },
    ...templateSources,
    { of: ['address', 'models', 'maxTokensField', 'reasoningField'], url: 'https://lmstudio.ai/docs/developer/openai-compat', read: '2026-11-20' },
  ],
  undocumented: ['which documents it reads: as remembered, not read again'],
};

/**
 * Simulated providers for the demonstration and for tests. Not marked `local`: they stand for hosted ones, and take
 * their timers. They invent no models of their own; see server/sandbox.
 */
export const sandbox: Provider = {
  id: 'sandbox',
  name: 'Sandbox (simulated)',
  description: said('A simulated provider that fails on command; no key, no bill'),
  protocol: 'openai-chat',
  baseUrls: {},
  auth: 'bearer',
  keyRequired: false,
  probe: { method: 'GET', path: '/models', provesKey: true },
  modelsPath: '/models',
  // It refuses what the vendor of its protocol refuses; names of tools differ between the protocols.
  dialect: { ...openAiDialect, toolNames: undefined },
};

/** The providers of "Try It Without Keys", which the editor's server plays itself and gives their addresses (server/app/simulated/simulation.ts). */
export const simulated: Provider = {
  id: simulatedProvider,
  name: 'Simulated',
  description: said('A simulated provider of "Try It Without Keys": no key, no bill'),
  protocol: 'openai-chat',
  baseUrls: {},
  auth: 'none',
  keyRequired: false,
  simulated: true,
  probe: { method: 'GET', path: '/models', provesKey: false },
  modelsPath: '/models',
  dialect: { ...openAiDialect, toolNames: undefined },
};
