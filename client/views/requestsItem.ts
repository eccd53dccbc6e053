import type { RequestSummary } from '../../server/api/receipt.ts';
import { countOf, formatDuration, formatListTime, formatMoment, formatTokens, totalTokens } from './figures.ts';
import type { TimeStyle } from './figures.ts';
import { formatCost } from './money.ts';
import { callerText, escapeMarkdown, outcomeText, toneOf } from './receiptWording.ts';
import type { Tone } from './receiptWording.ts';

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

const icons: Record<Tone, RequestItem['icon']> = {
  ok: { id: 'pass', color: 'testing.iconPassed' },
  failover: { id: 'arrow-swap', color: 'list.warningForeground' },
  failed: { id: 'error', color: 'testing.iconFailed' },
  stopped: { id: 'circle-slash' },
  running: { id: 'sync~spin' },
};

/** Turns one exchange into its line: what was asked for, and beside it who answered, when, how long and for how much. */
export function buildRequestItem(request: RequestSummary, now: number, style: TimeStyle): RequestItem {
  const tone = toneOf(request.outcome, request.attempts);
  const outcome = outcomeText(request.outcome, request.attempts, request.failureClass);
  const time = formatListTime(request.startedAt, now, style);
  const duration = request.outcome === 'open' ? undefined : formatDuration(request.totalMs);
  const cost = formatCost(request.cost);
  // Without a target the outcome says more than a dash would.
  const answeredBy = request.target ?? outcome;
  const attempts = request.attempts > 1 ? countOf(request.attempts, 'attempt') : undefined;
  const costPart = cost === 'unknown' ? 'cost unknown' : cost;
  return {
    id: request.id,
    label: request.wanted,
    description: joined([answeredBy, time, duration, costPart, attempts], ' · '),
    icon: icons[tone],
    tooltip: tooltip(request, outcome, style),
    spoken: joined([request.wanted, outcome, request.target === undefined ? undefined : `by ${request.target}`, time, duration, costPart], ', '),
    contextValue: `request.${tone}`,
  };
}

function tooltip(request: RequestSummary, outcome: string, style: TimeStyle): string {
  const tokens = totalTokens(request.usage);
  const rows: [string, string | undefined][] = [
    ['Answered by', request.target],
    ['Asked by', callerText(request.caller)],
    ['Workspace', request.caller.workspace],
    ['Started', formatMoment(request.startedAt, style)],
    ['First token', request.firstTokenMs === undefined ? undefined : formatDuration(request.firstTokenMs)],
    ['Total', request.outcome === 'open' ? undefined : formatDuration(request.totalMs)],
    ['Attempts', String(request.attempts)],
    ['Tokens', tokens === undefined ? 'unknown' : `${formatTokens(tokens)} (${formatTokens(request.usage.cacheReadTokens)} from cache, ${formatTokens(request.usage.outputTokens)} output)`],
    ['Cost', formatCost(request.cost)],
  ];
  const lines = rows.flatMap(([name, value]) => value === undefined ? [] : [`| ${name} | ${escapeMarkdown(value)} |`]);
  return [`**${escapeMarkdown(request.wanted)}**: ${escapeMarkdown(outcome)}`, '', '| | |', '|:--|:--|', ...lines].join('\n');
}

function joined(parts: (string | undefined)[], separator: string): string {
  return parts.filter((part) => part !== undefined).join(separator);
}
