import path from 'node:path';
import { t } from '@vscode/l10n';
import { formats } from '../formats.ts';
import type { FormatName } from '../formats.ts';
import type { Surroundings } from '../tool.ts';
import type { Findings, NamedAddress } from './foundKey.ts';
import { joined, noFindings } from './foundKey.ts';
import { isOwnToken, judged, providerAt } from './judgeValue.ts';
import { keysInVariables, keyVariables } from './variables.ts';

/** A file of a tool in which keys may stand, and what is read from it. */
export interface ToolFile {
  tool: string;
  file: string;
  format: FormatName;
  read(place: string, content: Table, where: Surroundings): Findings;
}

export type Table = Readonly<Record<string, unknown>>;

/** The files in which tools keep keys of providers, wherever variables have moved them. */
export function toolFiles(where: Surroundings): ToolFile[] {
  const { home, environment } = where;
  const claude = environment.CLAUDE_CONFIG_DIR || path.join(home, '.claude');
  const codex = environment.CODEX_HOME || path.join(home, '.codex');
  const gemini = path.join(environment.GEMINI_CLI_HOME || home, '.gemini');
  const openCode = path.join(environment.XDG_CONFIG_HOME || path.join(home, '.config'), 'opencode');
  const openCodeData = path.join(environment.XDG_DATA_HOME || path.join(home, '.local', 'share'), 'opencode');
  const continueFolder = environment.CONTINUE_GLOBAL_DIR || path.join(home, '.continue');
  const cline = path.join(home, '.cline', 'data');
  return [
    { tool: 'Claude Code', file: path.join(claude, 'settings.json'), format: 'json', read: claudeSettings },
    { tool: 'Claude Code', file: environment.CLAUDE_CONFIG_DIR ? path.join(claude, '.claude.json') : path.join(home, '.claude.json'), format: 'json', read: (place, content) => field(place, content, 'primaryApiKey', 'anthropic') },
    { tool: 'Claude Code', file: path.join(claude, '.credentials.json'), format: 'json', read: claudeLogin },
    { tool: 'Codex', file: path.join(codex, 'auth.json'), format: 'json', read: codexLogin },
    { tool: 'Codex', file: path.join(codex, 'config.toml'), format: 'toml', read: codexProviders },
    { tool: 'Continue', file: path.join(continueFolder, 'config.yaml'), format: 'yaml', read: continueModels },
    { tool: 'Continue', file: path.join(continueFolder, 'config.json'), format: 'json', read: continueModels },
    { tool: 'Continue', file: path.join(continueFolder, '.env'), format: 'env', read: keysInVariables },
    { tool: 'Cline', file: environment.CLINE_PROVIDER_SETTINGS_PATH || path.join(cline, 'settings', 'providers.json'), format: 'json', read: clineProviders },
    { tool: 'Cline', file: path.join(cline, 'secrets.json'), format: 'json', read: clineSecrets },
    { tool: 'aider', file: path.join(home, '.aider.conf.yml'), format: 'yaml', read: aiderConfiguration },
    { tool: 'aider', file: path.join(home, '.aider', 'oauth-keys.env'), format: 'env', read: keysInVariables },
    { tool: 'aider', file: path.join(home, '.env'), format: 'env', read: keysInVariables },
    { tool: 'OpenCode', file: path.join(openCodeData, 'auth.json'), format: 'json', read: openCodeLogins },
    ...['opencode.jsonc', 'opencode.json'].map((name): ToolFile => ({ tool: 'OpenCode', file: path.join(openCode, name), format: 'json', read: openCodeProviders })),
    { tool: 'Gemini CLI', file: path.join(gemini, '.env'), format: 'env', read: keysInVariables },
    { tool: 'Gemini CLI', file: path.join(gemini, 'oauth_creds.json'), format: 'json', read: geminiLogin },
  ];
}

/** Reads a file's text as its format says. @throws what the parser throws, which may quote the text and is not to be shown */
export function contentOf(format: FormatName, text: string): Table {
  return tableOf(formats[format].parse(text));
}

function claudeSettings(place: string, content: Table): Findings {
  const helper = textOf(content, 'apiKeyHelper');
  return joined([
    keysInVariables(place, tableOf(content.env)),
    helper === undefined ? noFindings() : { keys: [], notTaken: [{ place, source: 'apiKeyHelper', why: t('is a program that makes keys, which is not run here.') }] },
  ]);
}

function claudeLogin(place: string, content: Table): Findings {
  if (tableOf(content.claudeAiOauth).accessToken === undefined) return noFindings();
  return { keys: [], notTaken: [{ place, source: 'claudeAiOauth', why: t('is a login of a Claude subscription, for Claude Code only. Use an API key.') }] };
}

function codexLogin(place: string, content: Table): Findings {
  const login = tableOf(content.tokens);
  return joined([
    field(place, content, 'OPENAI_API_KEY', 'openai'),
    login.access_token === undefined && login.refresh_token === undefined ? noFindings()
      : { keys: [], notTaken: [{ place, source: 'tokens', why: t('is a ChatGPT login, which works in Codex only. Use an API key.') }] },
  ]);
}

function codexProviders(place: string, content: Table, { environment }: Surroundings): Findings {
  const used = tableOf(tableOf(content.model_providers)[textOf(content, 'model_provider') ?? '']);
  const baseUrl = used.requires_openai_auth === true ? textOf(used, 'base_url') : textOf(content, 'openai_base_url');
  return joined([named(place, 'openai', baseUrl), ...Object.entries(tableOf(content.model_providers)).map(([id, written]) => {
    const provider = tableOf(written);
    const baseUrl = textOf(provider, 'base_url');
    const variable = textOf(provider, 'env_key');
    const token = textOf(provider, 'experimental_bearer_token');
    return joined([
      token === undefined ? noFindings() : atAddress(place, `model_providers.${id}`, token, baseUrl),
      // What the table of variables knows is read with the environment.
      variable === undefined || keyVariables[variable] !== undefined ? noFindings() : atAddress(place, variable, environment[variable] ?? '', baseUrl),
    ]);
  })]);
}

/** Ids of Continue, Cline, aider and OpenCode that the catalog spells otherwise; others are tried as they are. */
const otherSpellings: Readonly<Record<string, string>> = {
  'google': 'gemini', 'google-generative-ai': 'gemini', 'x-ai': 'xai', 'togetherai': 'together', 'fireworks-ai': 'fireworks', 'openai-native': 'openai', 'moonshotai': 'moonshot', 'zhipuai': 'zai', 'alibaba': 'qwen',
  'dashscope': 'qwen', 'huggingface-inference-api': 'huggingface', 'nvidia-nim': 'nvidia',
};
const knownProviders: ReadonlySet<string> = new Set(Object.values(keyVariables));

function providerOf(name: string): string {
  return otherSpellings[name.toLowerCase()] ?? name.toLowerCase();
}

/** The address of a provider that a tool sends keys to which it keeps elsewhere. @param beside the key beside it */
function named(place: string, name: string, baseUrl: string | undefined, beside?: string): Findings {
  const addresses: NamedAddress[] = baseUrl === undefined || isOwnToken(beside ?? '') ? [] : [{ place, provider: providerOf(name), baseUrl }];
  return { ...noFindings(), addresses };
}

/** A key that a tool keeps under its own name for the provider. */
function ofNamedProvider(place: string, source: string, value: string | undefined, name: string, baseUrl?: string): Findings {
  if (value === undefined) return noFindings();
  const provider = providerOf(name);
  if (provider === 'azure' || provider === 'bedrock' || !knownProviders.has(provider)) {
    return baseUrl === undefined ? { keys: [], notTaken: [{ place, source, why: t('is of a provider that needs more than a key. Use "Add Provider…".') }] } : atAddress(place, source, value, baseUrl);
  }
  return judged({ place, source, value }, providerAt(baseUrl) ?? provider, baseUrl);
}

function atAddress(place: string, source: string, value: string, baseUrl: string | undefined): Findings {
  return judged({ place, source, value }, providerAt(baseUrl) ?? 'openai', baseUrl);
}

function continueModels(place: string, content: Table): Findings {
  return joined(listOf(content.models).map(model => {
    const provider = textOf(model, 'provider');
    return provider === undefined ? noFindings() : ofNamedProvider(place, `${textOf(model, 'name') ?? textOf(model, 'title') ?? provider}: apiKey`, textOf(model, 'apiKey'), provider, textOf(model, 'apiBase'));
  }));
}

function clineProviders(place: string, content: Table): Findings {
  return joined(Object.entries(tableOf(content.providers)).map(([id, entry]) => {
    const settings = tableOf(tableOf(entry).settings);
    const baseUrl = textOf(settings, 'baseUrl');
    return ofNamedProvider(place, `${id}: apiKey`, textOf(settings, 'apiKey'), textOf(settings, 'provider') ?? id, baseUrl);
  }));
}

/** Names under which older versions of Cline keep single keys. */
const clineFields: Readonly<Record<string, string>> = {
  apiKey: 'anthropic', openRouterApiKey: 'openrouter', openAiNativeApiKey: 'openai', geminiApiKey: 'gemini', deepSeekApiKey: 'deepseek', mistralApiKey: 'mistral', xaiApiKey: 'xai', groqApiKey: 'groq',
  cerebrasApiKey: 'cerebras', togetherApiKey: 'together', fireworksApiKey: 'fireworks', sambanovaApiKey: 'sambanova', moonshotApiKey: 'moonshot', qwenApiKey: 'qwen', zaiApiKey: 'zai', minimaxApiKey: 'minimax',
  huggingFaceApiKey: 'huggingface', nebiusApiKey: 'nebius',
};

function clineSecrets(place: string, content: Table): Findings {
  return joined(Object.entries(clineFields).map(([name, provider]) => field(place, content, name, provider)));
}

function aiderConfiguration(place: string, content: Table): Findings {
  const pairs = (value: unknown): Table => Object.fromEntries(textsOf(value).flatMap(text => {
    const equals = text.indexOf('=');
    return equals < 1 ? [] : [[text.slice(0, equals).trim(), text.slice(equals + 1).trim()]];
  }));
  // Without a provider, what stands before the sign is a part of the key, which is not shown.
  const shownOf = (name: string): string => (knownProviders.has(providerOf(name)) ? `api-key: ${name}` : 'api-key');
  return joined([
    named(place, 'openai', textOf(content, 'openai-api-base'), textOf(content, 'openai-api-key')),
    ofNamedProvider(place, 'openai-api-key', textOf(content, 'openai-api-key'), 'openai', textOf(content, 'openai-api-base')),
    ofNamedProvider(place, 'anthropic-api-key', textOf(content, 'anthropic-api-key'), 'anthropic'),
    ...Object.entries(pairs(content['api-key'])).map(([provider, value]) => ofNamedProvider(place, shownOf(provider), typeof value === 'string' ? value : undefined, provider)),
    keysInVariables(place, pairs(content['set-env'])),
  ]);
}

function openCodeLogins(place: string, content: Table): Findings {
  return joined(Object.entries(content).map(([id, written]) => {
    const entry = tableOf(written);
    if (entry.type === 'api') return ofNamedProvider(place, id, textOf(entry, 'key'), id);
    return entry.type === 'oauth' ? { keys: [], notTaken: [{ place, source: id, why: t('is a login of an account, which works in OpenCode only.') }] } : noFindings();
  }));
}

function openCodeProviders(place: string, content: Table): Findings {
  return joined(Object.entries(tableOf(content.provider)).map(([id, written]) => {
    const options = tableOf(tableOf(written).options);
    const key = textOf(options, 'apiKey');
    const baseUrl = textOf(options, 'baseURL');
    return joined([named(place, id, baseUrl, key), ofNamedProvider(place, `provider.${id}`, key, id, baseUrl)]);
  }));
}

function geminiLogin(place: string, content: Table): Findings {
  if (content.access_token === undefined && content.refresh_token === undefined) return noFindings();
  return { keys: [], notTaken: [{ place, source: 'oauth_creds.json', why: t('is a login with Google, for Gemini CLI only. Use an API key.') }] };
}

function field(place: string, content: Table, name: string, provider: string): Findings {
  const value = textOf(content, name);
  return value === undefined ? noFindings() : ofNamedProvider(place, name, value, provider);
}

function tableOf(value: unknown): Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Table : {};
}

function listOf(value: unknown): Table[] {
  return Array.isArray(value) ? value.map(tableOf) : [];
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter(one => typeof one === 'string') : [];
}

function textOf(table: Table, name: string): string | undefined {
  const value = Object.hasOwn(table, name) ? table[name] : undefined;
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
