import path from 'node:path';
import { said, type Said } from '../../../server/api/localization/said.ts';
import type { ConfigPath } from '../configFormat.ts';
import type { FormatName } from '../formats.ts';
import type { Surroundings } from '../tool.ts';

/** A variable that changes what a connected tool does. */
export interface WinningVariable {
  name: string;
  /** What it does, as the end of a sentence. */
  does: Said;
  /** Only a value other than the written one matters: the tool prefers the variable to its file. */
  unless?: 'as-written';
}

/** A file whose settings a tool prefers to those that were written. */
export interface WinningFile { file: string; format: FormatName; paths: readonly ConfigPath[] }

/** What can undo the connection of a tool, and how its version is found. */
export interface ToolHabits {
  program: string;
  /** The first version that can do all that is written, and what earlier ones do not do. */
  least?: { version: string; lacks: Said };
  variables: readonly WinningVariable[];
  /** Variables matter as well where they stand in the files that were written, under this path. */
  variablesIn?: ConfigPath;
  files(where: Pick<Surroundings, 'home' | 'environment'>, folders: readonly string[]): WinningFile[];
  /** Settings of the written file itself that undo what was written. */
  inOwnFile?: readonly { path: ConfigPath; does: Said }[];
}

const claudeNames = ['ANTHROPIC_BASE_URL', 'ANTHROPIC_AUTH_TOKEN', 'ANTHROPIC_MODEL', 'ANTHROPIC_DEFAULT_OPUS_MODEL', 'ANTHROPIC_DEFAULT_SONNET_MODEL', 'ANTHROPIC_DEFAULT_HAIKU_MODEL',
  'CLAUDE_CODE_SUBAGENT_MODEL', 'ENABLE_TOOL_SEARCH', 'CLAUDE_CODE_GATEWAY_HINT_HEADERS', 'CLAUDE_CODE_MAX_CONTEXT_TOKENS', 'CLAUDE_CODE_MAX_OUTPUT_TOKENS',
  'CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_USE_VERTEX', 'CLAUDE_CODE_USE_FOUNDRY', 'CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS'];
const claudePaths: readonly ConfigPath[] = claudeNames.map(name => ['env', name]);

function managedClaudeFile(): string {
  if (process.platform === 'darwin') return '/Library/Application Support/ClaudeCode/managed-settings.json';
  return process.platform === 'win32' ? 'C:\\Program Files\\ClaudeCode\\managed-settings.json' : '/etc/claude-code/managed-settings.json';
}

const instead = (provider: string): Said => said('makes Claude Code ask {0} instead of Waybill', provider);
const asWritten = (name: string, tool: string): WinningVariable => ({ name, does: said('comes before what was written for {0}', tool), unless: 'as-written' });

/**
 * By the id of the tool. Sources, November 2026: code.claude.com/docs/en/settings and /env-vars, developers.openai.com/codex/config,
 * geminicli.com/docs (configuration), opencode.ai/docs/config, docs.continue.dev, aider.chat/docs/config, and the programs themselves.
 */
export const habits: Readonly<Record<string, ToolHabits>> = {
  'claude-code': {
    program: 'claude', least: { version: '2.1.273', lacks: said('does not say what kind of request it sends') },
    variables: [
      { name: 'CLAUDE_CODE_USE_BEDROCK', does: instead('Amazon Bedrock') },
      { name: 'CLAUDE_CODE_USE_VERTEX', does: instead('Vertex AI') },
      { name: 'CLAUDE_CODE_USE_FOUNDRY', does: instead('Microsoft Foundry') },
      { name: 'CLAUDE_CODE_DISABLE_EXPERIMENTAL_BETAS', does: said('turns tool search off, and every tool is sent in full') },
      { name: 'ANTHROPIC_API_KEY', does: said('is a second credential, of which Claude Code warns and which it may prefer') },
    ],
    variablesIn: ['env'],
    // The `env` of its settings files comes before the shell; of the files, the nearest one comes first, and what is managed before all.
    files: (_, folders) => [
      ...folders.flatMap(folder => ['settings.local.json', 'settings.json'].map((name): WinningFile => ({ file: path.join(folder, '.claude', name), format: 'json', paths: claudePaths }))),
      { file: managedClaudeFile(), format: 'json', paths: claudePaths },
    ],
  },
  'codex': {
    program: 'codex', variables: [],
    files: (_, folders) => folders.map(folder => ({ file: path.join(folder, '.codex', 'config.toml'), format: 'toml', paths: [['model'], ['model_provider'], ['model_context_window']] })),
    inOwnFile: [{ path: ['profile'], does: said('chooses a profile, whose model and provider come first') }],
  },
  'gemini-cli': {
    program: 'gemini',
    variables: [
      asWritten('GOOGLE_GEMINI_BASE_URL', 'Gemini CLI'), asWritten('GEMINI_API_KEY', 'Gemini CLI'), asWritten('GEMINI_MODEL', 'Gemini CLI'),
      { name: 'GOOGLE_GENAI_USE_VERTEXAI', does: said('makes Gemini CLI ask Vertex AI instead of Waybill') },
      { name: 'GOOGLE_GENAI_USE_GCA', does: said('makes Gemini CLI log in at Google instead of asking Waybill') },
    ],
    // Of several .env files the nearest one alone is read.
    files: (_, folders) => folders.flatMap((folder): WinningFile[] => [
      ...[path.join(folder, '.gemini', '.env'), path.join(folder, '.env')].map((file): WinningFile => ({ file, format: 'env', paths: [] })),
      { file: path.join(folder, '.gemini', 'settings.json'), format: 'json', paths: [['security', 'auth', 'selectedType'], ['model', 'name']] },
    ]),
  },
  'opencode': {
    program: 'opencode',
    variables: [
      { name: 'OPENCODE_CONFIG', does: said('names another configuration, whose model and provider come first') },
      { name: 'OPENCODE_CONFIG_CONTENT', does: said('holds a configuration that comes first') },
    ],
    files: (_, folders) => folders.flatMap(folder => ['opencode.jsonc', 'opencode.json', '.opencode/opencode.jsonc', '.opencode/opencode.json'].map((name): WinningFile => ({
      file: path.join(folder, name), format: 'json', paths: [['model'], ['provider', 'waybill'], ['enabled_providers'], ['disabled_providers']],
    }))),
  },
  'continue': { program: 'cn', variables: [], files: () => [] },
  'cline': { program: 'cline', variables: [], files: () => [] },
  'aider': {
    program: 'aider',
    variables: [asWritten('AIDER_MODEL', 'aider'), asWritten('AIDER_OPENAI_API_BASE', 'aider'), asWritten('AIDER_OPENAI_API_KEY', 'aider')],
    files: (_, folders) => folders.flatMap((folder): WinningFile[] => [
      { file: path.join(folder, '.aider.conf.yml'), format: 'yaml', paths: [['model'], ['openai-api-base'], ['openai-api-key']] },
      { file: path.join(folder, '.env'), format: 'env', paths: [['AIDER_MODEL'], ['AIDER_OPENAI_API_BASE'], ['AIDER_OPENAI_API_KEY'], ['OPENAI_API_BASE'], ['OPENAI_API_KEY']] },
    ]),
  },
};
