import { t } from '@vscode/l10n';
import { exchangeFailureWords, saidOfFailure } from '../../server/api/condition.ts';
import { shownOf } from '../../server/api/localization/said.ts';
import type { FailureClass } from '../../server/api/failure.ts';
import type { AttemptRole, Receipt } from '../../server/api/receipt.ts';

/** How an outcome feels; pages and trees choose colour and icon by it. */
export const tones = ['ok', 'failover', 'failed', 'stopped', 'running'] as const;
export type Tone = (typeof tones)[number];

/** A failure class in a few words. */
export function failureText(failureClass: FailureClass): string {
  return shownOf(saidOfFailure(failureClass));
}

/** The model answered, and its answer is that it declines. */
export function isRefused({ outcome, failureClass }: Pick<Receipt, 'outcome' | 'failureClass'>): boolean {
  return outcome === 'ok' && failureClass === 'content-policy';
}

/** Failover stands apart: an answer that came after a failed attempt; so does an answer that declines. @param failed how many attempts failed */
export function toneOf(outcome: Receipt['outcome'], failed: number, failureClass?: FailureClass): Tone {
  if (isRefused({ outcome, failureClass })) return 'stopped';
  switch (outcome) {
    case 'ok': return failed > 0 ? 'failover' : 'ok';
    case 'failed': return 'failed';
    case 'cancelled':
    case 'interrupted': return 'stopped';
    case 'open': return 'running';
  }
}

/**
 * What became of an exchange, in a few words: `Answered after 1 failed attempt`, `Failed: rate limited`.
 * @param failed how many of its `attempts` failed
 */
export function outcomeText(outcome: Receipt['outcome'], failed: number, failureClass: FailureClass | undefined, attempts: number): string {
  switch (outcome) {
    case 'ok': {
      const what = isRefused({ outcome, failureClass }) ? t('Refused by the model') : t('Answered');
      return failed === 0 ? what : failed === 1 ? t('{0} after {1} failed attempt', what, failed) : t('{0} after {1} failed attempts', what, failed);
    }
    case 'failed': return failureClass === undefined ? t('Failed') : t('Failed: {0}', exchangeFailureWords(failureClass, attempts));
    case 'cancelled': return t('Cancelled');
    case 'interrupted': return t('Interrupted: Waybill ended while it ran');
    case 'open': return t('Running');
  }
}

const roleWords: Record<AttemptRole, string> = {
  'hedge': t('the one before took long to begin, so both were asked'),
  'resume': t('goes on from where the one before broke off'),
  'restart': t('the answer before broke off and starts again'),
  'last-resort': t('nothing else was left, though its breaker was open'),
  'shadow': t('a copy of a caller\'s request, whose answer was only compared'),
};

/** Why an attempt was made that is not simply the next of the plan. */
export function roleText(role: AttemptRole): string {
  return roleWords[role];
}

const purposeWords: Record<string, string> = { chat: t('chat'), agent: t('agent'), utility: t('utility'), inline: t('inline completion'), auxiliary: t('errand') };

/** The tool that asked, for a narrow list: `Chat`, `claude-code`, `a tool`. */
export function toolText({ tool }: Pick<Receipt['caller'], 'tool'>): string {
  return tool === 'vscode-chat' ? t('Chat') : tool === 'http' ? t('a tool') : tool;
}

/** Who asked: `VS Code chat (agent)`, `claude-code`, `openai-sdk, for mai of team shop`. */
export function callerText(caller: Receipt['caller']): string {
  const tool = caller.tool === 'vscode-chat' ? t('VS Code chat') : caller.tool === 'http' ? t('a tool on this machine') : caller.tool;
  const what = caller.purpose === undefined ? tool : `${tool} (${purposeWords[caller.purpose] ?? caller.purpose})`;
  return forWhom(what, caller);
}

/** @param what the program that asked */
function forWhom(what: string, { user, team }: Pick<Receipt['caller'], 'user' | 'team'>): string {
  if (user !== undefined) return team === undefined ? t('{0}, for {1}', what, user) : t('{0}, for {1} of team {2}', what, user, team);
  return team === undefined ? what : t('{0}, for team {1}', what, team);
}

/** Text as Markdown shows it literally, on one line, safe inside a table cell. */
export function escapeMarkdown(text: string): string {
  // An underscore within a word means nothing in Markdown, and a backslash before it would break a search for the word.
  return text.replace(/[\r\n\t]+/g, ' ').replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|[\\`*{}[\]<>#|~!&]/gu, '\\$&');
}

/**
 * Text as a code span shows it: the very characters, which can be copied and searched for. Safe inside a table cell, where
 * alone a bar needs a backslash.
 */
export function markdownCode(text: string, inTable = false): string {
  const line = text.replace(/[\r\n\t]+/g, ' ');
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const padding = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${padding}${inTable ? line.replaceAll('|', '\\|') : line}${padding}${fence}`;
}
