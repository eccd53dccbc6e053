import { t } from '@vscode/l10n';
import { exchangeFailureWords } from '../../../server/api/condition.ts';
import type { RequestSummary } from '../../../server/api/receipt.ts';
import { parseTargetName } from '../../../server/api/targetName.ts';
import { countOf, formatDuration, formatListTime, formatMoment, formatTokens, totalTokens } from '../../base/figures.ts';
import type { TimeStyle } from '../../base/figures.ts';
import { formatCost, isUnknownCost } from '../../base/money.ts';
import { callerText, escapeMarkdown, isRefused, outcomeText, toneOf, toolText } from '../../base/outcomeWording.ts';
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

/** What a line shows beside the request itself. */
export interface RequestSurroundings {
  /** The first words of its conversation, where they are known. */
  title?: string | undefined;
  /** Of a request that runs: another window runs it. */
  ofPeer?: boolean | undefined;
}

/** Colours that the contrast themes have too. */
const icons: Record<Tone, RequestItem['icon']> = {
  ok: { id: 'pass', color: 'testing.iconPassed' },
  failover: { id: 'arrow-swap', color: 'problemsWarningIcon.foreground' },
  failed: { id: 'error', color: 'problemsErrorIcon.foreground' },
  stopped: { id: 'circle-slash' },
  running: { id: 'sync~spin' },
};

/** What a request is for, at one that simply answered. */
const purposeIcons: Readonly<Record<string, string>> = {
  chat: 'comment-discussion', agent: 'hubot', main: 'hubot', utility: 'settings-gear', auxiliary: 'settings-gear', inline: 'edit',
  subagent: 'type-hierarchy-sub', workflow: 'list-ordered', compaction: 'fold',
};

/**
 * Turns one exchange into its line: when and who, with the first words of the conversation where they are known, and beside
 * it the model that answered, the cost, the attempts when there were several, and the time it took.
 */
export function buildRequestItem(request: RequestSummary, now: number, style: TimeStyle, { title, ofPeer }: RequestSurroundings = {}): RequestItem {
  const tone = toneOf(request.outcome, request.failedAttempts, request.failureClass);
  const outcome = outcomeText(request.outcome, request.failedAttempts, request.failureClass, request.attempts);
  const time = formatListTime(request.startedAt, now, style);
  const running = request.outcome === 'open';
  const duration = formatDuration(running ? Math.max(0, Math.floor((now - request.startedAt) / 1000) * 1000) : request.totalMs);
  const cost = costText(request);
  const attempts = request.attempts > 1 ? countOf(request.attempts, 'attempt') : undefined;
  const model = request.target === undefined ? request.requestedModel : parseTargetName(request.target)?.model ?? request.target;
  const asker = `${time} ${toolText(request.caller)}`;
  const elsewhere = ofPeer === true ? t('in another window') : undefined;
  return {
    id: request.id,
    label: title === undefined ? asker : `${asker}: ${shortened(title)}`,
    description: running
      ? joined([t('running'), duration, elsewhere, model, attempts], ' · ')
      : joined([request.shadow === undefined ? undefined : t('shadow'), shortOutcome(request), model, cost !== undefined && isUnknownCost(request.cost) ? '–' : cost, attempts, duration], ' · '),
    icon: tone === 'ok' ? { ...icons.ok, id: purposeIcons[request.caller.purpose ?? ''] ?? icons.ok.id } : icons[tone],
    tooltip: tooltip(request, outcome, style, title),
    spoken: joined([title, request.requestedModel, outcome, elsewhere, request.target === undefined ? undefined : t('by {0}', request.target), t('asked by {0}', callerText(request.caller)), time, duration, cost, attempts], ', '),
    contextValue: running ? 'request.running' : `request.${tone}`,
  };
}

/** What the icon alone would not say of an exchange without an answer. */
function shortOutcome({ outcome, failureClass, attempts, cache }: RequestSummary): string | undefined {
  switch (outcome) {
    case 'ok': return isRefused({ outcome, failureClass }) ? t('refused') : cache?.state === 'hit' ? cache.from === 'replicas' ? t('from replicas') : t('from memory') : cache?.state === 'shared' ? t('shared') : undefined;
    case 'failed': return failureClass === undefined ? t('failed') : exchangeFailureWords(failureClass, attempts);
    case 'cancelled': return t('cancelled');
    case 'interrupted': return t('interrupted');
    case 'open': return t('running');
  }
}

/** Undefined while the request runs, and where no target answered and no cost is known. */
function costText({ outcome, cost }: RequestSummary): string | undefined {
  if (outcome === 'open' || (outcome !== 'ok' && (cost.microUsd ?? 0) === 0)) return undefined;
  return isUnknownCost(cost) ? t('cost unknown') : formatCost(cost);
}

function tooltip(request: RequestSummary, outcome: string, style: TimeStyle, title: string | undefined): string {
  const tokens = totalTokens(request.usage);
  const rows: [string, string | undefined][] = [
    [t('Conversation'), title],
    [t('Asked for'), request.requestedModel],
    [t('Answered by'), request.target],
    [t('Asked by'), callerText(request.caller)],
    [t('Workspace'), request.caller.workspace],
    [t('Branch'), request.caller.branch],
    [t('Started'), formatMoment(request.startedAt, style)],
    [t('First token'), request.firstTokenMs === undefined ? undefined : formatDuration(request.firstTokenMs)],
    [t('Total'), request.outcome === 'open' ? undefined : formatDuration(request.totalMs)],
    [t('Attempts'), String(request.attempts)],
    [t('Tokens'), tokens === undefined ? t('unknown') : t('{0} ({1} from cache, {2} output)', formatTokens(tokens), formatTokens(request.usage.cacheReadTokens), formatTokens(request.usage.outputTokens))],
    [t('Cost'), request.outcome === 'open' ? undefined : costText(request) ?? t('none known')],
    [t('Not in the cost'), request.cost.unpriced?.join(', ')],
  ];
  const lines = rows.flatMap(([name, value]) => value === undefined ? [] : [`| ${name} | ${escapeMarkdown(value)} |`]);
  return [`**${escapeMarkdown(request.target ?? request.requestedModel)}**: ${escapeMarkdown(outcome)}`, '', '| | |', '|:--|:--|', ...lines].join('\n');
}

/** The first words of a conversation, so that the rest of the line can be seen beside them. */
function shortened(title: string): string {
  return title.length <= longestTitle ? title : `${title.slice(0, longestTitle - 1).trimEnd()}…`;
}

const longestTitle = 28;

function joined(parts: (string | undefined)[], separator: string): string {
  return parts.filter((part) => part !== undefined).join(separator);
}
