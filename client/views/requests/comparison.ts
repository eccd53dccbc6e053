import { t } from '@vscode/l10n';
import type { TokenUsage } from '../../../server/api/conversation.ts';
import type { Attempt, Cost, Receipt } from '../../../server/api/receipt.ts';
import { formatCount, formatDuration, formatMoment } from '../../base/figures.ts';
import type { TimeStyle } from '../../base/figures.ts';
import { formatCost, formatMicroUsd } from '../../base/money.ts';
import { callerText, escapeMarkdown, markdownCode } from '../../base/outcomeWording.ts';
import { buildReceiptPage } from '../receipt/receiptModel.ts';
import type { ReceiptPage } from '../receipt/receiptModel.ts';

/** A line of a table: what it is, one, the other, and what differs. Texts are Markdown. */
type Line = readonly [name: string, one: string, other: string, difference: string];

const nothing = '–';

const buckets: readonly [keyof TokenUsage, string][] = [
  ['inputTokens', t('Fresh input')], ['cacheReadTokens', t('From cache')], ['cacheWriteTokens', t('Written to cache')], ['cacheWrite1hTokens', t('Written to 1 h cache')],
  ['outputTokens', t('Output')], ['reasoningTokens', t('Reasoning (in output)')],
];

/** Two requests side by side as Markdown: who asked for what, money, tokens, times, plan and attempts, with what the right one has more or less. */
export function comparisonMarkdown(one: Receipt, other: Receipt, style: TimeStyle): string {
  const [left, right] = [buildReceiptPage(one, style), buildReceiptPage(other, style)];
  const blocks = [
    `# ${t('Two requests')}`,
    t('Earlier: {0}', markdownCode(one.id)),
    t('Later: {0}', markdownCode(other.id)),
    table(['', t('Earlier'), t('Later'), t('Later − earlier')], [...facts(one, other, left, right, style), ...figures(one, other), ...tokens(one.usage, other.usage)].filter(isKnown)),
    `## ${t('Why they went there')}`,
    t('Earlier: {0}', escapeMarkdown(left.why)),
    t('Later: {0}', escapeMarkdown(right.why)),
    `## ${t('Plan')}`,
    table(['', t('Earlier'), t('Later'), ''], plan(left, right)),
    ...leftOut(left, right),
    `## ${t('Attempts')}`,
    attempts(one, other, left, right),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** What neither request has is no line. */
function isKnown([, one, other]: Line): boolean {
  return one !== nothing || other !== nothing;
}

function facts(one: Receipt, other: Receipt, left: ReceiptPage, right: ReceiptPage, style: TimeStyle): Line[] {
  const text = (name: string, of: (receipt: Receipt, page: ReceiptPage) => string | undefined, shown: (value: string) => string = escapeMarkdown): Line => {
    const [a, b] = [of(one, left), of(other, right)];
    return [name, a === undefined ? nothing : shown(a), b === undefined ? nothing : shown(b), a === b ? t('same') : t('differs')];
  };
  const code = (value: string): string => markdownCode(value, true);
  return [
    [t('Started'), escapeMarkdown(formatMoment(one.startedAt, style)), escapeMarkdown(formatMoment(other.startedAt, style)), escapeMarkdown(formatDuration(other.startedAt - one.startedAt))],
    text(t('Asked by'), ({ caller }) => callerText(caller)),
    text(t('Token'), ({ caller }) => caller.token),
    text(t('Workspace'), ({ caller }) => caller.workspace),
    text(t('Branch'), ({ caller }) => caller.branch),
    text(t('Conversation'), ({ caller }) => caller.conversation),
    text(t('Asked for'), ({ plan: { requestedModel } }) => requestedModel, code),
    text(t('Outcome'), (_, page) => page.outcome),
    text(t('Answered by'), ({ target }) => target, code),
    text(t('Price'), (_, page) => page.cost.note === '' ? undefined : page.cost.note),
  ];
}

function figures(one: Receipt, other: Receipt): Line[] {
  const time = (name: string, a: number | undefined, b: number | undefined): Line => [
    name, a === undefined ? nothing : formatDuration(a), b === undefined ? nothing : formatDuration(b), a === undefined || b === undefined ? nothing : signed(b - a, formatDuration),
  ];
  const total = ({ outcome, totalMs }: Receipt): number | undefined => (outcome === 'open' ? undefined : totalMs);
  return [
    [`**${t('Cost')}**`, escapeMarkdown(formatCost(one.cost)), escapeMarkdown(formatCost(other.cost)), costDifference(one.cost, other.cost)],
    [t('Attempts'), String(one.attempts.length), String(other.attempts.length), signed(other.attempts.length - one.attempts.length, String)],
    time(t('First token'), one.firstTokenMs, other.firstTokenMs),
    time(t('Total time'), total(one), total(other)),
  ];
}

/** Costs that are lower bounds, or not known, have no difference. */
function costDifference(one: Cost, other: Cost): string {
  if (one.microUsd === undefined || other.microUsd === undefined) return t('unknown');
  if ([one, other].some(({ unknownParts = 0, unpriced = [] }) => unknownParts + unpriced.length > 0)) return t('unknown');
  const estimated = one.certainty === 'estimated' || other.certainty === 'estimated';
  return escapeMarkdown(`${estimated ? '~' : ''}${signed(other.microUsd - one.microUsd, formatMicroUsd)}`);
}

function tokens(one: TokenUsage, other: TokenUsage): Line[] {
  return buckets.filter(([bucket]) => one[bucket] !== undefined || other[bucket] !== undefined).map(([bucket, name]): Line => {
    const [a, b] = [one[bucket], other[bucket]];
    return [t('{0} tokens', name), formatCount(a), formatCount(b), a === undefined || b === undefined ? t('unknown') : signed(b - a, formatCount)];
  });
}

function plan(left: ReceiptPage, right: ReceiptPage): Line[] {
  const place = (page: ReceiptPage, index: number): string => {
    const target = page.plan.targets[index];
    return target === undefined ? nothing : `${markdownCode(target.target, true)}: ${escapeMarkdown(target.state)}`;
  };
  const places = Math.max(left.plan.targets.length, right.plan.targets.length);
  return [
    [t('How the name was understood'), escapeMarkdown(left.plan.summary), escapeMarkdown(right.plan.summary), ''],
    ...Array.from({ length: places }, (_, index): Line => [`${String(index + 1)}.`, place(left, index), place(right, index), left.plan.targets[index]?.target === right.plan.targets[index]?.target ? t('same') : t('differs')]),
  ];
}

/** Targets that one of them left out, each with the reason on its side. */
function leftOut(left: ReceiptPage, right: ReceiptPage): string[] {
  const reasons = (page: ReceiptPage): Map<string, string> => new Map(page.plan.excluded.map(({ target, reason }) => [target, reason]));
  const [one, other] = [reasons(left), reasons(right)];
  const targets = [...new Set([...one.keys(), ...other.keys()])];
  if (targets.length === 0) return [];
  const shown = (reason: string | undefined): string => (reason === undefined ? nothing : escapeMarkdown(reason));
  return [`## ${t('Left out')}`, table(['', t('Earlier'), t('Later'), ''], targets.map((target): Line => [markdownCode(target, true), shown(one.get(target)), shown(other.get(target)), one.get(target) === other.get(target) ? t('same') : t('differs')]))];
}

function attempts(one: Receipt, other: Receipt, left: ReceiptPage, right: ReceiptPage): string {
  const count = Math.max(one.attempts.length, other.attempts.length);
  if (count === 0) return t('Neither was sent to a provider.');
  const text = (attempt: Attempt | undefined, outcome: string | undefined): string => (attempt === undefined ? nothing
    : `${markdownCode(attempt.target, true)}: ${escapeMarkdown(t('{0}, {1}, cost {2}', outcome ?? attempt.outcome, formatDuration(attempt.totalMs), formatCost(attempt.cost)))}`);
  return table(['', t('Earlier'), t('Later'), t('Time')], Array.from({ length: count }, (_, index): Line => {
    const [a, b] = [one.attempts[index], other.attempts[index]];
    return [`${String(index + 1)}.`, text(a, left.attempts[index]?.outcome), text(b, right.attempts[index]?.outcome), a === undefined || b === undefined ? nothing : signed(b.totalMs - a.totalMs, formatDuration)];
  }));
}

/** A difference with its sign. */
function signed(difference: number, shown: (amount: number) => string): string {
  return difference === 0 ? t('same') : `${difference > 0 ? '+' : '−'}${shown(Math.abs(difference))}`;
}

function table(head: Line, lines: readonly Line[]): string {
  return [`| ${head.join(' | ')} |`, '|:--|:--|:--|:--|', ...lines.map(line => `| ${line.join(' | ')} |`)].join('\n');
}
