import { exchangeFailureWords } from '../../../server/api/condition.ts';
import type { RequestSummary } from '../../../server/api/receipt.ts';
import { parseTargetName } from '../../../server/api/targetName.ts';
import { countOf, formatDuration, formatListTime, formatMoment, formatTokens, totalTokens } from '../../base/figures.ts';
import type { TimeStyle } from '../../base/figures.ts';
import { formatCost } from '../../base/money.ts';
import { callerText, escapeMarkdown, isRefused, outcomeText, toneOf } from '../../base/outcomeWording.ts';
import type { Tone } from '../../base/outcomeWording.ts';

/** What a line of the Requests view shows, before it becomes a TreeItem. */
export interface RequestItem {
  id: string;
  label: string;
  description: string;
  /** Codicon, and the theme colour it has; absent: the usual one. */
  icon: { id: string; color?: string | undefined };
  tooltip: string;
  spoken: string;
  contextValue: string;
}

/** Colours that the contrast themes have too. */
const icons: Record<Tone, RequestItem['icon']> = {
  ok: { id: 'pass', color: 'testing.iconPassed' },
  failover: { id: 'arrow-swap', color: 'problemsWarningIcon.foreground' },
  failed: { id: 'error', color: 'problemsErrorIcon.foreground' },
  stopped: { id: 'circle-slash' },
  running: { id: 'sync~spin' },
};

/**
 * Turns one exchange into its line, the most telling first because a narrow sidebar cuts off the end: the model that
 * answered (or what was asked for), and beside it the cost, the attempts when there were several, and the time it took.
 * That the cost is unknown takes much room and says little, so it comes after the attempts.
 */
export function buildRequestItem(request: RequestSummary, now: number, style: TimeStyle): RequestItem {
  const tone = toneOf(request.outcome, request.failedAttempts, request.failureClass);
  const outcome = outcomeText(request.outcome, request.failedAttempts, request.failureClass, request.attempts);
  const time = formatListTime(request.startedAt, now, style);
  const duration = request.outcome === 'open' ? undefined : formatDuration(request.totalMs);
  const cost = costText(request);
  const attempts = request.attempts > 1 ? countOf(request.attempts, 'attempt') : undefined;
  return {
    id: request.id,
    label: request.target === undefined ? request.requestedModel : parseTargetName(request.target)?.model ?? request.target,
    description: joined([...(request.shadow === undefined ? [] : ['shadow']), shortOutcome(request), ...(cost === unknownCost ? [attempts, cost] : [cost, attempts]), duration], ' · '),
    icon: icons[tone],
    tooltip: tooltip(request, outcome, style),
    spoken: joined([request.requestedModel, outcome, request.target === undefined ? undefined : `by ${request.target}`, `asked by ${callerText(request.caller)}`, time, duration, cost, attempts], ', '),
    contextValue: `request.${tone}`,
  };
}

/** What the icon alone would not say of an exchange without an answer. */
function shortOutcome({ outcome, failureClass, attempts, cache }: RequestSummary): string | undefined {
  switch (outcome) {
    case 'ok': return isRefused({ outcome, failureClass }) ? 'refused' : cache?.state === 'hit' ? 'from memory' : cache?.state === 'shared' ? 'shared' : undefined;
    case 'failed': return failureClass === undefined ? 'failed' : exchangeFailureWords(failureClass, attempts);
    case 'cancelled': return 'cancelled';
    case 'interrupted': return 'interrupted';
    case 'open': return 'running';
  }
}

const unknownCost = 'cost unknown';

/** Undefined while the request runs, and where no target answered and no cost is known. */
function costText({ outcome, cost }: RequestSummary): string | undefined {
  if (outcome === 'open' || (outcome !== 'ok' && (cost.microUsd ?? 0) === 0)) return undefined;
  const text = formatCost(cost);
  return text === 'unknown' ? unknownCost : text;
}

function tooltip(request: RequestSummary, outcome: string, style: TimeStyle): string {
  const tokens = totalTokens(request.usage);
  const rows: [string, string | undefined][] = [
    ['Asked for', request.requestedModel],
    ['Answered by', request.target],
    ['Asked by', callerText(request.caller)],
    ['Workspace', request.caller.workspace],
    ['Started', formatMoment(request.startedAt, style)],
    ['First token', request.firstTokenMs === undefined ? undefined : formatDuration(request.firstTokenMs)],
    ['Total', request.outcome === 'open' ? undefined : formatDuration(request.totalMs)],
    ['Attempts', String(request.attempts)],
    ['Tokens', tokens === undefined ? 'unknown' : `${formatTokens(tokens)} (${formatTokens(request.usage.cacheReadTokens)} from cache, ${formatTokens(request.usage.outputTokens)} output)`],
    ['Cost', request.outcome === 'open' ? undefined : costText(request) ?? 'none known'],
    ['Not in the cost', request.cost.unpriced?.join(', ')],
  ];
  const lines = rows.flatMap(([name, value]) => value === undefined ? [] : [`| ${name} | ${escapeMarkdown(value)} |`]);
  return [`**${escapeMarkdown(request.target ?? request.requestedModel)}**: ${escapeMarkdown(outcome)}`, '', '| | |', '|:--|:--|', ...lines].join('\n');
}

function joined(parts: (string | undefined)[], separator: string): string {
  return parts.filter((part) => part !== undefined).join(separator);
}
