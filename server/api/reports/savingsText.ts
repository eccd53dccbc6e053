import { countText, groupedText, markdownTable, markdownText, momentText, percentText, signedUsdText, usdText } from './reportText.ts';
import type { SavingsGroup, SavingsReport, SavingsRequest, SavingsSums } from './savings.ts';

/** What came of it, in one or two sentences. Where requests have no figure, that comes first, with what is not known. */
export function savingsVerdict({ totals, baseline, days, uncounted: reasons }: Pick<SavingsReport, 'totals' | 'baseline' | 'days' | 'uncounted'>): string {
  const { requests, uncounted, savedMicroUsd, baselineMicroUsd, spentMicroUsd } = totals;
  if (requests === 0) return uncounted === 0 ? 'No request ended in these days.' : `None of ${countText(uncounted, 'request')} has a figure, because ${reasonsText(reasons)}.`;
  const against = `against ${baseline}`;
  const share = baselineMicroUsd > 0 ? ` (${percentText(Math.abs(savedMicroUsd) / baselineMicroUsd)})` : '';
  const sum = savedMicroUsd >= 0 ? `Saved ${figureText(totals)}${share} ${against}` : `Spent ${figureText({ ...totals, savedMicroUsd: -savedMicroUsd, savedLowMicroUsd: -totals.savedHighMicroUsd, savedHighMicroUsd: -totals.savedLowMicroUsd })} more${share} than ${baseline} would have cost`;
  const bad = days.filter(day => day.savedMicroUsd < 0).length;
  return (uncounted === 0 ? '' : `Only ${groupedText(requests)} of ${countText(requests + uncounted, 'request')} can be compared, and the whole may be more or less: ${groupedText(uncounted)} ${uncounted === 1 ? 'is' : 'are'} in no sum, because ${reasonsText(reasons)}. `)
    + `${sum}: ${usdText(spentMicroUsd)} instead of ${usdText(baselineMicroUsd)} for ${countText(requests, 'request')}.`
    + (bad === 0 || savedMicroUsd < 0 ? '' : ` On ${countText(bad, 'day')} the baseline would have been cheaper.`);
}

const mostReasonsInVerdict = 2;

/** `what a/x charged for them is not known (3), and b/y has no known price for them (1)`. */
function reasonsText(reasons: SavingsReport['uncounted']): string {
  if (reasons.length <= 1) return reasons[0]?.reason ?? 'a price or a count is not known';
  const shown = reasons.slice(0, mostReasonsInVerdict).map(({ reason, requests }) => `${reason} (${groupedText(requests)})`);
  const rest = reasons.slice(mostReasonsInVerdict).reduce((sum, { requests }) => sum + requests, 0);
  if (rest > 0) shown.push(`for other reasons (${groupedText(rest)})`);
  return `${shown.slice(0, -1).join(', ')}, and ${shown.at(-1) ?? ''}`;
}

/** A saved sum, with its bounds where they differ: `~$1.20 ($0.90 to $1.50)`. */
function figureText({ savedMicroUsd, savedLowMicroUsd, savedHighMicroUsd, estimated }: Pick<SavingsSums, 'savedMicroUsd' | 'savedLowMicroUsd' | 'savedHighMicroUsd'> & { estimated: number | boolean }): string {
  const sum = `${Number(estimated) > 0 ? '~' : ''}${usdText(savedMicroUsd)}`;
  return savedLowMicroUsd === savedHighMicroUsd ? sum : `${sum} (${usdText(savedLowMicroUsd)} to ${usdText(savedHighMicroUsd)})`;
}

/** What holds for every figure of the report. */
export function savingsNotes({ totals }: Pick<SavingsReport, 'totals'>): string[] {
  return [
    'A request counts with everything that was sent for it: failed and second attempts, copies for comparison, and prompts that were read anew after a change of target. The baseline counts as one attempt that answers.',
    'The baseline is priced with the tokens that were used, at its price of that time where the price list has dates; prices of the settings and of a provider\'s own list are those of now.',
    'Other models count tokens otherwise (bounds: 78 to 129 %) and write answers of another length (not bounded), so a figure against another model is an estimate (~). Only the same model at exact prices is exact.',
    'Where a conversation changed its target, the baseline is taken to have kept it in its cache; the upper bound is without that.',
    ...(totals.fromCache === 0 ? [] : [`${countText(totals.fromCache, 'request was', 'requests were')} answered from a response cache at no cost: what that answer had cost at its target stands for the baseline.`]),
    ...(totals.unanswered === 0 ? [] : [`For ${countText(totals.unanswered, 'request')} without an answer the baseline counts as $0.00, so what was spent on ${totals.unanswered === 1 ? 'it' : 'them'} is a loss here.`]),
    ...(totals.covered === 0 ? [] : [`${countText(totals.covered, 'request was', 'requests were')} covered by a plan or a free tier; the fee of a plan is in no figure.`]),
  ];
}

/** A report as Markdown. @param only what its requests have in common, such as `Tool: codex` */
export function savingsMarkdown(report: SavingsReport, only: readonly string[] = []): string {
  const { totals, days, best, worst, uncounted } = report;
  const busy = days.filter(({ requests, uncounted: without, spentMicroUsd }) => requests + without > 0 || spentMicroUsd > 0);
  const one = (title: string, groups: readonly SavingsGroup[], unnamed: string): string[] => (groups.length === 0 || (groups.length === 1 && groups[0]?.name === unnamed) ? [] : [
    '', `## ${title}`, '', ...sumsTable('', groups.map(group => [markdownText(group.name), group])),
  ]);
  return [
    `# Savings against ${markdownText(report.baseline)}`, '',
    `${report.fromDay} to ${report.toDay}, made ${momentText(report.at)}.`, ...(only.length === 0 ? [] : ['', `Only requests with ${only.map(markdownText).join(', ')}. Each counts with all its attempts.`]), '', `**${markdownText(savingsVerdict(report))}**`,
    ...(totals.requests === 0 ? [] : [
      '', '## What was counted', '',
      ...markdownTable(['', 'US dollars'], [false, true], [
        ['Spent, all attempts', usdText(totals.spentMicroUsd)],
        ['of it for failed attempts and answers that were begun again', usdText(totals.overheads.failedMicroUsd)],
        ['of it for second requests beside a slow one', usdText(totals.overheads.secondMicroUsd)],
        ['of it for copies sent for comparison', usdText(totals.overheads.shadowMicroUsd)],
        ['of it because a cache was left', `~${usdText(totals.overheads.rewritesMicroUsd)}`],
        ['The baseline', `${totals.estimated > 0 ? '~' : ''}${usdText(totals.baselineMicroUsd)}`],
        ['Saved', `**${signedUsdText(totals.savedMicroUsd)}**`],
        ...(totals.fromCache === 0 ? [] : [[`of it by ${countText(totals.fromCache, 'answer')} from a response cache`, `~${usdText(totals.fromCacheMicroUsd)}`]]),
        ['Saved at least and at most', `${signedUsdText(totals.savedLowMicroUsd)} to ${signedUsdText(totals.savedHighMicroUsd)}`],
      ]),
      '', '## By day', '', ...sumsTable('Day', busy.map(day => [day.day, day]), true),
      ...(busy.length === days.length ? [] : ['', `${countText(days.length - busy.length, 'day')} without requests ${days.length - busy.length === 1 ? 'is' : 'are'} left out.`]),
      ...one('By route', report.byRoute, ''), ...one('By tool', report.byTool, ''), ...one('By model that answered', report.byModel, ''),
      ...one('By workspace', report.byWorkspace, '(no workspace)'), ...one('By branch', report.byBranch, '(no branch)'),
      ...requestsTable('Saved most', best), ...requestsTable('Lost most', worst),
    ]),
    ...(uncounted.length === 0 ? [] : ['', '## Without a figure', '', ...markdownTable(['Requests', 'Why'], [true, false], uncounted.map(({ requests, reason }) => [groupedText(requests), markdownText(reason)]))]),
    '', '## How it is counted', '', ...savingsNotes(report).map(note => `- ${markdownText(note)}`), '',
  ].join('\n');
}

const barLength = 12;

/** @param bars each line has a bar of its size, which shows losses as such */
function sumsTable(title: string, rows: readonly (readonly [name: string, sums: SavingsSums])[], bars = false): string[] {
  const largest = Math.max(1, ...rows.map(([, { savedMicroUsd }]) => Math.abs(savedMicroUsd)));
  return markdownTable(
    [title, 'Requests', 'Spent', 'Baseline', 'Saved', 'At least to at most', 'No figure', ...(bars ? [''] : [])], [false, true, true, true, true, true, true, ...(bars ? [false] : [])],
    rows.map(([name, sums]) => [
      name, groupedText(sums.requests), usdText(sums.spentMicroUsd), `${sums.estimated > 0 ? '~' : ''}${usdText(sums.baselineMicroUsd)}`, signedUsdText(sums.savedMicroUsd),
      sums.savedLowMicroUsd === sums.savedHighMicroUsd ? '' : `${signedUsdText(sums.savedLowMicroUsd)} to ${signedUsdText(sums.savedHighMicroUsd)}`,
      sums.uncounted === 0 ? '' : groupedText(sums.uncounted), ...(bars ? [bar(sums.savedMicroUsd, largest)] : []),
    ]),
  );
}

function bar(savedMicroUsd: number, largest: number): string {
  const length = Math.ceil(Math.abs(savedMicroUsd) / largest * barLength);
  return savedMicroUsd < 0 ? `${'▒'.repeat(length)} lost` : '█'.repeat(length);
}

function requestsTable(title: string, requests: readonly SavingsRequest[]): string[] {
  if (requests.length === 0) return [];
  return ['', `## ${title}`, '', ...markdownTable(
    ['Request', 'When', 'Tool', 'Went to', 'Baseline', 'Spent', 'Would have cost', 'Saved'], [false, false, false, false, false, true, true, true],
    requests.map(({ id, startedAt, tool, target, baseline, spentMicroUsd, baselineMicroUsd, savedMicroUsd, estimated }) => [
      markdownText(id), momentText(startedAt), markdownText(tool), markdownText(target ?? 'no answer'), markdownText(baseline ?? 'none'), usdText(spentMicroUsd), `${estimated ? '~' : ''}${usdText(baselineMicroUsd)}`, signedUsdText(savedMicroUsd),
    ]),
  )];
}
