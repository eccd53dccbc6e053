import path from 'node:path';
import { t } from '@vscode/l10n';
import { lastingOf } from './tool.ts';
import type { ConnectedModel, Connection, Setting, Surroundings, Tool } from './tool.ts';

/** Kinds of work for which Claude Code has a model name of its own. */
const roles = [
  { id: 'opus', title: 'Opus', detail: t('for /model opus, and for agents that ask for Opus') },
  { id: 'sonnet', title: 'Sonnet', detail: t('for /model sonnet, and for agents that ask for Sonnet') },
  { id: 'haiku', title: 'Haiku', detail: t('for small errands, such as titles and summaries') },
  { id: 'subagents', title: t('Subagents'), detail: t('for every subagent, whatever its definition asks for') },
] as const;

/** Names that Claude Code takes for choices of its own, in any case; seen with 2.1.332. */
const ownNames = /^(?:best|default|inherit|opus|sonnet|haiku|fable|opusplan)(?:\[1m\])?$/i;

/** What Claude Code keeps free for an answer at most, in tokens, whatever the limit of output is. */
const reservedTokens = 20_000;

export const claudeCode: Tool = {
  id: 'claude-code', name: 'Claude Code', roles,
  traces: where => [claudeFolder(where)],
  files: (where, connection) => [{
    file: path.join(claudeFolder(where), 'settings.json'), format: 'json',
    settings: settingsOf(connection).map(([name, value, more = {}]): Setting => ({ path: ['env', name], value, ...more })),
  }],
};

/** Its folder; a variable that is set to nothing counts as not set. */
export function claudeFolder({ home, environment }: Surroundings): string {
  return environment.CLAUDE_CONFIG_DIR || path.join(home, '.claude');
}

type EnvironmentSetting = [name: string, value: string, more?: Pick<Setting, 'secret' | 'follows'>];

function settingsOf({ url, token, model, roles: chosen = {} }: Connection): EnvironmentSetting[] {
  const { opus = model, sonnet = model, haiku = model, subagents } = chosen;
  const differ = [opus, sonnet, haiku].some(one => one.requestedModel !== model.requestedModel);
  const nameOf = ({ requestedModel }: ConnectedModel): string => (differ && ownNames.test(requestedModel) ? `waybill/${requestedModel}` : requestedModel);
  // They change with what the user's settings say of the roles.
  const follows = [[]];
  return [
    ['ANTHROPIC_BASE_URL', url],
    ['ANTHROPIC_AUTH_TOKEN', token, { secret: [] }],
    ['ANTHROPIC_MODEL', nameOf(model), { follows }],
    // Its names for a family of models, which its own agents and small errands ask for.
    ['ANTHROPIC_DEFAULT_OPUS_MODEL', nameOf(opus), { follows }],
    ['ANTHROPIC_DEFAULT_SONNET_MODEL', nameOf(sonnet), { follows }],
    ['ANTHROPIC_DEFAULT_HAIKU_MODEL', nameOf(haiku), { follows }],
    ['ANTHROPIC_DEFAULT_FABLE_MODEL', nameOf(opus), { follows }],
    ...(subagents === undefined ? [] : [
      ['CLAUDE_CODE_SUBAGENT_MODEL', nameOf(subagents), { follows }] satisfies EnvironmentSetting,
      // Without it, an agent that names a model of its own would get that.
      ['CLAUDE_CODE_SUBAGENT_MODEL_FORCE', '1', { follows }] satisfies EnvironmentSetting,
    ]),
    // At an address that is not Anthropic's it leaves both off by itself.
    ['ENABLE_TOOL_SEARCH', 'true'],
    ['CLAUDE_CODE_GATEWAY_HINT_HEADERS', '1'],
    ...limitsOf([model, opus, sonnet, ...(subagents === undefined ? [] : [subagents])], nameOf),
  ];
}

/**
 * What it would else derive from a model's name, which it does not know: it then counts with a window of a million tokens, and with
 * thinking and effort. Each holds for all names, so the least of what its conversations run on is said; small errands do not fill a window.
 */
function limitsOf(models: readonly ConnectedModel[], nameOf: (model: ConnectedModel) => string): EnvironmentSetting[] {
  const follows = [[]];
  const known = models.flatMap(model => {
    const facts = lastingOf(model);
    return facts === undefined ? [] : [{ model, facts }];
  });
  if (known.length === 0) return [];
  const window = Math.min(...known.map(({ model }) => windowOf(model)));
  const outputs = known.flatMap(({ facts }) => facts.maxOutputTokens ?? []);
  const thoughtless = new Set(known.filter(({ facts }) => facts.thinking === false).map(({ model }) => nameOf(model)));
  const listed = [...thoughtless].filter(name => !/[=;,*]/.test(name));
  return [
    ['CLAUDE_CODE_MAX_CONTEXT_TOKENS', String(window), { follows }],
    ...(outputs.length === 0 ? [] : [['CLAUDE_CODE_MAX_OUTPUT_TOKENS', String(Math.min(...outputs, Math.floor(window / 2))), { follows }] satisfies EnvironmentSetting]),
    ...(listed.length === 0 ? [] : [['CLAUDE_CODE_MODEL_CAPABILITIES', listed.map(name => `${name}=-effort,-adaptive_thinking`).join(';'), { follows }] satisfies EnvironmentSetting]),
    ...(known.every(({ facts }) => facts.thinking === false) ? [['CLAUDE_CODE_DISABLE_THINKING', '1', { follows }] satisfies EnvironmentSetting] : []),
  ];
}

/**
 * Claude takes a prompt up to its whole window. Elsewhere an answer's room is taken off, of which Claude Code takes off a part by itself.
 */
function windowOf(model: ConnectedModel): number {
  const facts = lastingOf(model) ?? { maxInputTokens: 0 };
  const { contextWindow, maxInputTokens, maxOutputTokens = reservedTokens } = facts;
  if (contextWindow === undefined) return maxInputTokens;
  return /claude/i.test(model.targets?.[0] ?? '') ? contextWindow : Math.min(contextWindow, maxInputTokens + Math.min(maxOutputTokens, reservedTokens));
}
