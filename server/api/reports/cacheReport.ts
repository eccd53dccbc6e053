import { countText, groupedText, markdownTable, percentText, usdText } from './reportText.ts';

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
  if (prompts === 0) return 'No request of a known conversation was answered in these days.';
  const unpriced = sum(sums => sums.unpriced);
  return `${percentText(sum(({ readTokens }) => readTokens) / prompts)} of the tokens of prompts came from caches; avoidable rewrites cost ${usdText(sum(({ rewrittenMicroUsd }) => rewrittenMicroUsd))}${unpriced === 0 ? '' : `, without ${countText(unpriced, 'request')} of unknown price`}.`;
}

/** The report as Markdown. */
export function cacheMarkdown(report: CacheReport): string {
  const rows = cacheTurns.map(turn => {
    const { requests, promptTokens, readTokens, writtenTokens, rewrittenTokens, rewrittenMicroUsd, unpriced } = report.turns[turn];
    return [
      turn, groupedText(requests), groupedText(promptTokens), groupedText(readTokens), promptTokens === 0 ? '' : percentText(readTokens / promptTokens), groupedText(writtenTokens), groupedText(rewrittenTokens),
      unpriced === 0 ? usdText(rewrittenMicroUsd) : `at least ${usdText(rewrittenMicroUsd)}`,
    ];
  });
  return [
    '# Prompt caches', '', `${report.fromDay} to ${report.toDay}, ${countText(report.conversations, 'conversation')}. ${cacheVerdict(report)}`, '',
    ...markdownTable(['turn', 'requests', 'prompt tokens', 'read from cache', 'share', 'written to cache', 'read anew though warm', 'cost of that'], [false, true, true, true, true, true, true, true], rows), '',
    '*First*: the first request of a conversation. *Stayed*: at the target of the request before. *Returned*: at an earlier target again. *Switched*: at a new one.',
    'A cache counts as warm for as long as its provider documents. Requests in which a target failed are not counted as avoidable; a switch to a cheaper target is, although it may have paid.', '',
  ].join('\n');
}
