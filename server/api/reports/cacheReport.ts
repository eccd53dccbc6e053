import { t } from '@vscode/l10n';
import { groupedText, markdownTable, percentText, usdText } from './reportText.ts';

/** Where a request stands in its conversation: its first one; at the target of the one before; at an earlier target again; at a new one. */
export const cacheTurns = ['first', 'stayed', 'returned', 'switched'] as const;
export type CacheTurn = (typeof cacheTurns)[number];

/** Sums of requests that were answered and whose usage is known. */
export interface CacheTurnSums {
  requests: number;
  promptTokens: number;
  readTokens: number;
  writtenTokens: number;
  /** Tokens that were read anew although a warm cache held them, where nothing forced that. */
  rewrittenTokens: number;
  /** What reading these from the cache would have saved; without those whose price is not known. */
  rewrittenMicroUsd: number;
  /** Requests with such tokens and without a price. */
  unpriced: number;
}

export interface CacheReport {
  fromDay: string;
  toDay: string;
  /** Milliseconds since the epoch. */
  at: number;
  conversations: number;
  turns: Record<CacheTurn, CacheTurnSums>;
}

export interface CacheReportParams { fromDay: string; toDay: string }
export type CacheReportResult = { report: CacheReport } | { problem: string };

/** One sentence over the report. */
export function cacheVerdict({ turns }: CacheReport): string {
  const all = Object.values(turns);
  const sum = (of: (sums: CacheTurnSums) => number): number => all.reduce((total, sums) => total + of(sums), 0);
  const prompts = sum(({ promptTokens }) => promptTokens);
  if (prompts === 0) return t('No request of a known conversation was answered in these days.');
  const unpriced = sum(sums => sums.unpriced);
  const [share, cost] = [percentText(sum(({ readTokens }) => readTokens) / prompts), usdText(sum(({ rewrittenMicroUsd }) => rewrittenMicroUsd))];
  if (unpriced === 0) return t('{0} of the tokens of prompts came from caches; avoidable rewrites cost {1}.', share, cost);
  return unpriced === 1 ? t('{0} of the tokens of prompts came from caches; avoidable rewrites cost {1}, without {2} request of unknown price.', share, cost, groupedText(unpriced))
    : t('{0} of the tokens of prompts came from caches; avoidable rewrites cost {1}, without {2} requests of unknown price.', share, cost, groupedText(unpriced));
}

/** The report as Markdown. */
export function cacheMarkdown(report: CacheReport): string {
  const rows = cacheTurns.map(turn => {
    const { requests, promptTokens, readTokens, writtenTokens, rewrittenTokens, rewrittenMicroUsd, unpriced } = report.turns[turn];
    return [
      turnText(turn), groupedText(requests), groupedText(promptTokens), groupedText(readTokens), promptTokens === 0 ? '' : percentText(readTokens / promptTokens), groupedText(writtenTokens), groupedText(rewrittenTokens),
      unpriced === 0 ? usdText(rewrittenMicroUsd) : t('at least {0}', usdText(rewrittenMicroUsd)),
    ];
  });
  return [
    `# ${t('Prompt caches')}`, '', report.conversations === 1 ? t('{0} to {1}, {2} conversation. {3}', report.fromDay, report.toDay, groupedText(report.conversations), cacheVerdict(report))
      : t('{0} to {1}, {2} conversations. {3}', report.fromDay, report.toDay, groupedText(report.conversations), cacheVerdict(report)), '',
    ...markdownTable([t('turn'), t('requests'), t('prompt tokens'), t('read from cache'), t('share'), t('written to cache'), t('read anew though warm'), t('cost of that')], [false, true, true, true, true, true, true, true], rows), '',
    t('*First*: the first request of a conversation. *Stayed*: at the target of the request before. *Returned*: at an earlier target again. *Switched*: at a new one.'),
    t('A cache counts as warm for as long as its provider documents. Requests in which a target failed are not counted as avoidable; a switch to a cheaper target is, although it may have paid.'), '',
  ].join('\n');
}

function turnText(turn: CacheTurn): string {
  switch (turn) {
    case 'first': return t('first');
    case 'stayed': return t('stayed');
    case 'returned': return t('returned');
    case 'switched': return t('switched');
  }
}
