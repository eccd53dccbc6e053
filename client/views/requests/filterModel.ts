import { t } from '@vscode/l10n';
import type { RequestSummary } from '../../../server/api/receipt.ts';
import type { RequestFilter } from '../../../server/api/reports/requestFilter.ts';
import { parseTargetName } from '../../../server/api/targetName.ts';
import { formatMoment } from '../../base/figures.ts';
import type { TimeStyle } from '../../base/figures.ts';
import { formatMicroUsd } from '../../base/money.ts';
import { toolText } from '../../base/outcomeWording.ts';

/** What a person filters by: fields of a filter that belong together have one name. */
export const filterParts = [
  'text', 'tool', 'model', 'endpoint', 'provider', 'route', 'outcome', 'conversation', 'workspace', 'branch', 'extension', 'token', 'user', 'team', 'purpose', 'kind', 'part', 'notRecorded', 'cost', 'time',
] as const;
export type FilterPart = (typeof filterParts)[number];

export function isFilterPart(name: unknown): name is FilterPart {
  return (filterParts as readonly unknown[]).includes(name);
}

/** Names of parts as a menu shows them. Parts that other views set, and no menu offers, are among them. */
export const partTitles: Readonly<Record<FilterPart, string>> = {
  text: t('Text'), tool: t('Tool'), model: t('Model'), endpoint: t('Endpoint'), provider: t('Provider'), route: t('Route'), outcome: t('Outcome'), conversation: t('Conversation'), workspace: t('Workspace'),
  branch: t('Branch'), extension: t('Extension'), token: t('Token'), user: t('User'), team: t('Team'), purpose: t('Purpose'), kind: t('Kind of work'), part: t('Part of the cost'), notRecorded: t('Not recorded'), cost: t('Cost'), time: t('Time'),
};

export const outcomeTitles: Readonly<Record<NonNullable<RequestFilter['outcome']>, string>> = {
  ok: t('Answered'), failed: t('Failed'), cancelled: t('Cancelled'), interrupted: t('Interrupted'), open: t('Running'),
};

/** The filter without one of its parts. */
export function withoutPart(filter: RequestFilter, part: FilterPart): RequestFilter {
  const rest = { ...filter };
  switch (part) {
    case 'cost': delete rest.minCostMicroUsd; break;
    case 'time':
      delete rest.fromMs;
      delete rest.toMs;
      break;
    default: delete rest[part];
  }
  return rest;
}

/**
 * Each part that a filter has, in words: `Tool: claude-code`, `Cost: at least $0.10`.
 * @param titleOf the first words of a conversation, where they are known
 */
export function filterWords(filter: RequestFilter, style: TimeStyle, titleOf?: (conversation: string) => string | undefined): { part: FilterPart; words: string }[] {
  return filterParts.flatMap((part) => {
    const title = part === 'conversation' && filter.conversation !== undefined ? titleOf?.(filter.conversation) : undefined;
    const value = title ?? valueText(filter, part, style);
    return value === undefined ? [] : [{ part, words: `${partTitles[part]}: ${value}` }];
  });
}

function valueText(filter: RequestFilter, part: FilterPart, style: TimeStyle): string | undefined {
  switch (part) {
    case 'text': return filter.text === undefined ? undefined : `"${filter.text}"`;
    case 'tool': return filter.tool === undefined ? undefined : toolText({ tool: filter.tool });
    case 'outcome': return filter.outcome === undefined ? undefined : outcomeTitles[filter.outcome].toLowerCase();
    case 'notRecorded': return filter.notRecorded?.join(', ');
    case 'cost': return filter.minCostMicroUsd === undefined ? undefined : t('at least {0}', formatMicroUsd(filter.minCostMicroUsd));
    case 'time': {
      const { fromMs, toMs } = filter;
      if (fromMs === undefined) return toMs === undefined ? undefined : t('before {0}', formatMoment(toMs, style));
      return toMs === undefined ? t('since {0}', formatMoment(fromMs, style)) : t('{0} to {1}', formatMoment(fromMs, style), formatMoment(toMs, style));
    }
    default: return filter[part];
  }
}

/** Values that a part has in some requests, the most frequent first. */
export function knownValues(requests: readonly RequestSummary[], part: 'tool' | 'model' | 'endpoint' | 'conversation' | 'workspace' | 'branch' | 'extension' | 'token' | 'user' | 'team' | 'purpose'): string[] {
  const counts = new Map<string, number>();
  for (const { caller, target, requestedModel } of requests) {
    const values = part === 'model' ? [modelOf(target), requestedModel] : part === 'endpoint' ? [target === undefined ? undefined : parseTargetName(target)?.endpoint] : [caller[part]];
    for (const value of new Set(values)) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one).map(([value]) => value);
}

/** The canonical name of the model in a target. */
export function modelOf(target: string | undefined): string | undefined {
  return target === undefined ? undefined : parseTargetName(target)?.model ?? target;
}

/** Local days that a person typed, `2026-11-20` or `2026-11-20..2026-11-25`, with their ends; undefined where they are none. */
export function readDays(text: string): Pick<RequestFilter, 'fromMs' | 'toMs'> | undefined {
  const days = /^(\d{4}-\d\d-\d\d)(?:\s?\.\.\s?(\d{4}-\d\d-\d\d))?$/.exec(text.trim());
  const first = days?.[1];
  if (first === undefined) return undefined;
  const from = midnight(first, 0);
  const to = midnight(days?.[2] ?? first, 1);
  return from === undefined || to === undefined || to <= from ? undefined : { fromMs: from, toMs: to };
}

/** The local midnight at which a day begins, or one some days later; undefined where there is no such day. */
function midnight(day: string, later: number): number | undefined {
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
  const at = new Date(year, month - 1, date);
  return at.getMonth() === month - 1 && at.getDate() === date ? new Date(year, month - 1, date + later).getTime() : undefined;
}

export interface TimeChoice { label: string; range: Pick<RequestFilter, 'fromMs' | 'toMs'> }

/** Ranges of time up to now, in local days. @param now milliseconds since the epoch */
export function timeChoices(now: number): TimeChoice[] {
  const today = new Date(now);
  const daysAgo = (days: number): number => new Date(today.getFullYear(), today.getMonth(), today.getDate() - days).getTime();
  return [
    { label: t('The last hour'), range: { fromMs: now - 3_600_000 } },
    { label: t('Today'), range: { fromMs: daysAgo(0) } },
    { label: t('Yesterday'), range: { fromMs: daysAgo(1), toMs: daysAgo(0) } },
    { label: t('The last 7 days'), range: { fromMs: daysAgo(6) } },
    { label: t('The last 30 days'), range: { fromMs: daysAgo(29) } },
  ];
}
