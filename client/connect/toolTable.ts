import path from 'node:path';
import { t } from '@vscode/l10n';
import { claudeCode } from './claudeCode.ts';
import type { ConfigValue } from './configFormat.ts';
import { lastingOf } from './tool.ts';
import type { ConnectedModel, Connection, FileSettings, Setting, Surroundings, Tool } from './tool.ts';

/** Every tool that can be connected, in the order of the picker. */
export const tools: readonly Tool[] = [
  claudeCode,
  {
    id: 'codex', name: 'Codex',
    traces: where => [codexFolder(where)],
    files: (where, { url, token, model }) => [{
      file: path.join(codexFolder(where), 'config.toml'), format: 'toml',
      settings: [
        { path: ['model'], value: model.requestedModel },
        { path: ['model_provider'], value: 'waybill' },
        ...windowSetting(model),
        {
          path: ['model_providers', 'waybill'],
          // A key by `env_key` would have to be in the environment of whatever starts Codex; this one it reads itself.
          value: { name: 'Waybill', base_url: `${url}/v1`, wire_api: 'responses', experimental_bearer_token: token },
          secret: ['experimental_bearer_token'], mark: ['base_url'],
        },
      ],
    }],
  },
  {
    id: 'gemini-cli', name: 'Gemini CLI',
    traces: where => [geminiFolder(where)],
    note: t('Gemini CLI reads it in folders that you trust and that have no .env file of their own.'),
    files: (where, { url, token, model }) => [
      {
        file: path.join(geminiFolder(where), '.env'), format: 'env',
        settings: [
          { path: ['GOOGLE_GEMINI_BASE_URL'], value: url },
          { path: ['GEMINI_API_KEY'], value: token, secret: [] },
          // A bare `auto` is a model picker of Gemini CLI's own.
          { path: ['GEMINI_MODEL'], value: `waybill/${model.requestedModel}` },
        ],
      },
      {
        file: path.join(geminiFolder(where), 'settings.json'), format: 'json',
        settings: [{ path: ['security', 'auth', 'selectedType'], value: 'gemini-api-key' }, ...compressionSetting(model)],
      },
    ],
  },
  {
    id: 'opencode', name: 'OpenCode',
    traces: where => [openCodeFolder(where), path.join(where.environment.XDG_DATA_HOME || path.join(where.home, '.local', 'share'), 'opencode')],
    files: (where, { url, token, model }) => [{
      file: firstExisting(where, ['opencode.jsonc', 'opencode.json'].map(name => path.join(openCodeFolder(where), name))) ?? path.join(openCodeFolder(where), 'opencode.json'),
      format: 'json',
      settings: [
        { path: ['$schema'], value: 'https://opencode.ai/config.json', ifAbsent: true },
        { path: ['model'], value: `waybill/${model.requestedModel}` },
        {
          path: ['provider', 'waybill'],
          value: {
            npm: '@ai-sdk/openai-compatible', name: 'Waybill', options: { baseURL: `${url}/v1`, apiKey: token },
            models: { [model.requestedModel]: { name: model.requestedModel, ...openCodeLimits(model) } },
          },
          secret: ['options', 'apiKey'], mark: ['options', 'baseURL'], follows: [['models', model.requestedModel, 'limit']],
        },
      ],
    }],
  },
  {
    id: 'continue', name: 'Continue',
    traces: where => [continueFolder(where)],
    note: t('Choose "Waybill" among its models.'),
    files: (where, connection) => [continueFile(where, connection)],
  },
  {
    id: 'cline', name: 'Cline (CLI)',
    traces: where => [path.join(where.home, '.cline')],
    note: t("Cline's VS Code extension keeps its provider elsewhere: choose \"OpenAI Compatible\" in its settings, with the local endpoint's URL and token."),
    files: (where, { url, token, model, at }) => [{
      file: where.environment.CLINE_PROVIDER_SETTINGS_PATH || path.join(where.home, '.cline', 'data', 'settings', 'providers.json'), format: 'json',
      settings: [
        { path: ['version'], value: 1, ifAbsent: true },
        { path: ['providers'], value: {}, ifAbsent: true },
        { path: ['lastUsedProvider'], value: 'openai-compatible' },
        {
          path: ['providers', 'openai-compatible'],
          value: {
            settings: { provider: 'openai-compatible', apiKey: token, model: model.requestedModel, baseUrl: `${url}/v1`, ...clineLimits(model) },
            updatedAt: new Date(at).toISOString(), tokenSource: 'manual',
          },
          secret: ['settings', 'apiKey'], mark: ['settings', 'baseUrl'], follows: [['settings', 'contextWindow'], ['settings', 'maxTokens']],
        },
      ],
    }],
  },
  {
    id: 'aider', name: 'aider',
    traces: where => [path.join(where.home, '.aider.conf.yml'), path.join(where.home, '.aider')],
    note: t('A .aider.conf.yml in a project comes before it.'),
    files: (where, { url, token, model }) => [...aiderMetadata(where, model), {
      file: path.join(where.home, '.aider.conf.yml'), format: 'yaml',
      settings: [
        // The prefix chooses aider's OpenAI client and is not sent.
        { path: ['model'], value: `openai/${model.requestedModel}` },
        { path: ['openai-api-base'], value: `${url}/v1` },
        // In this file and not in ~/.env, which other programs read too.
        { path: ['openai-api-key'], value: token, secret: [] },
        // It would stop and ask about every model that it has no price of.
        { path: ['show-model-warnings'], value: false },
      ],
    }],
  },
];

/** For a name that it does not know, Cline assumes a window of 128,000 tokens. */
function clineLimits(model: ConnectedModel): Record<string, ConfigValue> {
  const facts = lastingOf(model);
  return { ...(facts === undefined ? {} : { contextWindow: facts.maxInputTokens }), ...(facts?.maxOutputTokens === undefined ? {} : { maxTokens: facts.maxOutputTokens }) };
}

/** Of a name it does not know, aider knows no window: it then neither shortens its history nor says that a prompt is too long. */
function aiderMetadata(where: Surroundings, model: ConnectedModel): FileSettings[] {
  const facts = lastingOf(model);
  if (facts === undefined) return [];
  const value = { max_input_tokens: facts.maxInputTokens, ...(facts.maxOutputTokens === undefined ? {} : { max_output_tokens: facts.maxOutputTokens }), litellm_provider: 'openai', mode: 'chat' };
  return [{
    file: path.join(where.home, '.aider.model.metadata.json'), format: 'json',
    settings: [{ path: [`openai/${model.requestedModel}`], value, mark: ['litellm_provider'], follows: [['max_input_tokens'], ['max_output_tokens']] }],
  }];
}

function continueFile(where: Surroundings, { url, token, model }: Connection): FileSettings {
  const yaml = path.join(continueFolder(where), 'config.yaml');
  const json = path.join(continueFolder(where), 'config.json');
  const facts = lastingOf(model);
  const entry = { provider: 'openai', model: model.requestedModel, apiBase: `${url}/v1`, apiKey: token };
  // A config.yaml would hide the older config.json and every model in it.
  if (!where.exists(yaml) && where.exists(json)) {
    const value = { title: 'Waybill', ...entry, ...(facts === undefined ? {} : { contextLength: facts.maxInputTokens }) };
    return { file: json, format: 'json', settings: [{ path: ['models', { field: 'title', is: 'Waybill' }], value, secret: ['apiKey'], mark: ['apiBase'], follows: [['contextLength']] }] };
  }
  const capabilities = [...(model.toolCalling === false ? [] : ['tool_use']), ...(model.imageInput === true ? ['image_input'] : [])];
  const value = {
    name: 'Waybill', ...entry, roles: ['chat', 'edit', 'apply'], ...(capabilities.length === 0 ? {} : { capabilities }),
    ...(facts === undefined ? {} : { defaultCompletionOptions: { contextLength: facts.maxInputTokens } }),
  };
  return {
    file: yaml, format: 'yaml',
    settings: [
      { path: ['name'], value: 'Local Config', ifAbsent: true },
      { path: ['version'], value: '1.0.0', ifAbsent: true },
      { path: ['schema'], value: 'v1', ifAbsent: true },
      { path: ['models', { field: 'name', is: 'Waybill' }], value, secret: ['apiKey'], mark: ['apiBase'], follows: [['defaultCompletionOptions', 'contextLength']] },
    ],
  };
}

/** The window that Gemini CLI counts with for every name that it does not know, and the part of it at which it shortens a conversation. */
const geminiWindow = 1_048_576;
const geminiThreshold = 0.5;
/** The part of the true window at which it should: the answer and the tools' results of one more turn fit behind it. */
const safePart = 0.7;

/** It takes no window, but the part of its assumed window at which it shortens the conversation; seen with 0.61.0. */
function compressionSetting(model: ConnectedModel): Setting[] {
  const window = lastingOf(model)?.maxInputTokens;
  const value = window === undefined ? geminiThreshold : Math.max(0.001, Math.floor(window * safePart / geminiWindow * 1000) / 1000);
  return value < geminiThreshold ? [{ path: ['model', 'compressionThreshold'], value, follows: [[]] }] : [];
}

function windowSetting(model: ConnectedModel): Setting[] {
  const facts = lastingOf(model);
  return facts === undefined ? [] : [{ path: ['model_context_window'], value: facts.maxInputTokens, follows: [[]] }];
}

function openCodeLimits(model: ConnectedModel): Record<string, ConfigValue> {
  const facts = lastingOf(model);
  const output = facts?.maxOutputTokens ?? model.maxOutputTokens;
  return {
    ...(facts === undefined || output === undefined ? {} : { limit: { context: facts.maxInputTokens, output } }),
    ...(model.toolCalling === undefined ? {} : { tool_call: model.toolCalling }),
    ...(model.imageInput === undefined ? {} : { attachment: model.imageInput }),
    ...(facts?.thinking === undefined ? {} : { reasoning: facts.thinking }),
  };
}

/** Variables that are set to nothing count as not set. */
function codexFolder({ home, environment }: Surroundings): string {
  return environment.CODEX_HOME || path.join(home, '.codex');
}

function geminiFolder({ home, environment }: Surroundings): string {
  return path.join(environment.GEMINI_CLI_HOME || home, '.gemini');
}

function openCodeFolder({ home, environment }: Surroundings): string {
  return path.join(environment.XDG_CONFIG_HOME || path.join(home, '.config'), 'opencode');
}

function continueFolder({ home, environment }: Surroundings): string {
  return environment.CONTINUE_GLOBAL_DIR || path.join(home, '.continue');
}

function firstExisting(where: Surroundings, files: readonly string[]): string | undefined {
  return files.find(file => where.exists(file));
}
