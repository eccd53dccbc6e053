import { t } from '@vscode/l10n';
import { shownMessage } from '../localization/said.ts';
import { countOfRequests, groupedText, markdownTable, markdownText, momentText, percentText, rangeText, reasonText, signedUsdText, usdText } from './reportText.ts';
import type { SavingsGroup, SavingsReport, SavingsRequest, SavingsSums } from './savings.ts';

/** What came of it, in one or two sentences. Where requests have no figure, that comes first, with what is not known. */
export function savingsVerdict({ totals, baseline: message, saidBaseline, days, uncounted: reasons }: Pick<SavingsReport, 'totals' | 'baseline' | 'saidBaseline' | 'days' | 'uncounted'>): string {
  const { requests, uncounted, savedMicroUsd, baselineMicroUsd, spentMicroUsd } = totals;
  if (requests === 0) return uncounted === 0 ? t('No request ended in these days.') : uncounted === 1 ? t('None of 1 request has a figure, because {0}.', reasonsText(reasons)) : t('None of {0} requests has a figure, because {1}.', groupedText(uncounted), reasonsText(reasons));
  const baseline = baselineText({ baseline: message, saidBaseline });
  const share = baselineMicroUsd > 0 ? percentText(Math.abs(savedMicroUsd) / baselineMicroUsd) : undefined;
  const figure = figureText(savedMicroUsd >= 0 ? totals : { ...totals, savedMicroUsd: -savedMicroUsd, savedLowMicroUsd: -totals.savedHighMicroUsd, savedHighMicroUsd: -totals.savedLowMicroUsd });
  const rest = [usdText(spentMicroUsd), usdText(baselineMicroUsd), countOfRequests(requests)] as const;
  const sum = savedMicroUsd >= 0
    ? t('Saved {0} against {1}: {2} instead of {3} for {4}.', share === undefined ? figure : `${figure} (${share})`, baseline, ...rest)
    : share === undefined ? t('Spent {0} more than {1} would have cost: {2} instead of {3} for {4}.', figure, baseline, ...rest) : t('Spent {0} more ({1}) than {2} would have cost: {3} instead of {4} for {5}.', figure, share, baseline, ...rest);
  const bad = days.filter(day => day.savedMicroUsd < 0).length;
  const without = [groupedText(requests), groupedText(requests + uncounted), groupedText(uncounted), reasonsText(reasons)] as const;
  return [
    ...(uncounted === 0 ? [] : [uncounted === 1
      ? t('Only {0} of {1} requests can be compared, and the whole may be more or less: {2} is in no sum, because {3}.', ...without)
      : t('Only {0} of {1} requests can be compared, and the whole may be more or less: {2} are in no sum, because {3}.', ...without)]),
    sum,
    ...(bad === 0 || savedMicroUsd < 0 ? [] : [bad === 1 ? t('On 1 day the baseline would have been cheaper.') : t('On {0} days the baseline would have been cheaper.', groupedText(bad))]),
  ].join(' ');
}

function baselineText({ baseline: message, saidBaseline }: Pick<SavingsReport, 'baseline' | 'saidBaseline'>): string {
  return shownMessage({ message, said: saidBaseline });
}

const mostReasonsInVerdict = 2;

/** `what a/x charged for them is not known (3), and b/y has no known price for them (1)`. */
function reasonsText(reasons: SavingsReport['uncounted']): string {
  const [only, ...others] = reasons;
  if (only === undefined) return t('a price or a count is not known');
  if (others.length === 0) return reasonText(only);
  const shown = reasons.slice(0, mostReasonsInVerdict).map(reason => `${reasonText(reason)} (${groupedText(reason.requests)})`);
  const rest = reasons.slice(mostReasonsInVerdict).reduce((sum, { requests }) => sum + requests, 0);
  if (rest > 0) shown.push(t('for other reasons ({0})', groupedText(rest)));
  return t('{0}, and {1}', shown.slice(0, -1).join(', '), shown.at(-1) ?? '');
}

/** A saved sum, with its bounds where they differ: `~$1.20 ($0.90 to $1.50)`. */
function figureText({ savedMicroUsd, savedLowMicroUsd, savedHighMicroUsd, estimated }: Pick<SavingsSums, 'savedMicroUsd' | 'savedLowMicroUsd' | 'savedHighMicroUsd'> & { estimated: number | boolean }): string {
  const sum = `${Number(estimated) > 0 ? '~' : ''}${usdText(savedMicroUsd)}`;
  return savedLowMicroUsd === savedHighMicroUsd ? sum : `${sum} (${rangeText(usdText(savedLowMicroUsd), usdText(savedHighMicroUsd))})`;
}

/** What holds for every figure of the report. */
export function savingsNotes({ totals: { fromCache, unanswered, covered } }: Pick<SavingsReport, 'totals'>): string[] {
  return [
    t('A request counts with everything that was sent for it: failed and second attempts, copies for comparison, and prompts that were read anew after a change of target. The baseline counts as one attempt that answers.'),
    t('The baseline is priced with the tokens that were used, at its price of that time where the price list has dates; prices of the settings and of a provider\'s own list are those of now.'),
    t('Other models count tokens otherwise (bounds: 78 to 129 %) and write answers of another length (not bounded), so a figure against another model is an estimate (~). Only the same model at exact prices is exact.'),
    t('Where a conversation changed its target, the baseline is taken to have kept it in its cache; the upper bound is without that.'),
    ...(fromCache === 0 ? [] : [fromCache === 1
      ? t('1 request was answered from a response cache at no cost: what that answer had cost at its target stands for the baseline.')
      : t('{0} requests were answered from a response cache at no cost: what that answer had cost at its target stands for the baseline.', groupedText(fromCache))]),
    ...(unanswered === 0 ? [] : [unanswered === 1
      ? t('For 1 request without an answer the baseline counts as $0.00, so what was spent on it is a loss here.')
      : t('For {0} requests without an answer the baseline counts as $0.00, so what was spent on them is a loss here.', groupedText(unanswered))]),
    ...(covered === 0 ? [] : [covered === 1
      ? t('1 request was covered by a plan or a free tier; the fee of a plan is in no figure.')
      : t('{0} requests were covered by a plan or a free tier; the fee of a plan is in no figure.', groupedText(covered))]),
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
    `# ${t('Savings against {0}', markdownText(baselineText(report)))}`, '',
    t('{0} to {1}, made {2}.', report.fromDay, report.toDay, momentText(report.at)), ...(only.length === 0 ? [] : ['', t('Only requests with {0}. Each counts with all its attempts.', only.map(markdownText).join(', '))]), '', `**${markdownText(savingsVerdict(report))}**`,
    ...(totals.requests === 0 ? [] : [
      '', `## ${t('What was counted')}`, '',
      ...markdownTable(['', t('US dollars')], [false, true], [
        [t('Spent, all attempts'), usdText(totals.spentMicroUsd)],
        [t('of it for failed attempts and answers that were begun again'), usdText(totals.overheads.failedMicroUsd)],
        [t('of it for second requests beside a slow one'), usdText(totals.overheads.secondMicroUsd)],
        [t('of it for copies sent for comparison'), usdText(totals.overheads.shadowMicroUsd)],
        [t('of it because a cache was left'), `~${usdText(totals.overheads.rewritesMicroUsd)}`],
        [t('The baseline'), `${totals.estimated > 0 ? '~' : ''}${usdText(totals.baselineMicroUsd)}`],
        [t('Saved'), `**${signedUsdText(totals.savedMicroUsd)}**`],
        ...(totals.fromCache === 0 ? [] : [[totals.fromCache === 1 ? t('of it by 1 answer from a response cache') : t('of it by {0} answers from a response cache', groupedText(totals.fromCache)), `~${usdText(totals.fromCacheMicroUsd)}`]]),
        [t('Saved at least and at most'), rangeText(signedUsdText(totals.savedLowMicroUsd), signedUsdText(totals.savedHighMicroUsd))],
      ]),
      '', `## ${t('By day')}`, '', ...sumsTable(t('Day'), busy.map(day => [day.day, day]), true),
      ...(busy.length === days.length ? [] : ['', days.length - busy.length === 1 ? t('1 day without requests is left out.') : t('{0} days without requests are left out.', groupedText(days.length - busy.length))]),
      ...one(t('By route'), report.byRoute, ''), ...one(t('By tool'), report.byTool, ''), ...one(t('By model that answered'), report.byModel, ''),
      ...one(t('By workspace'), report.byWorkspace, '(no workspace)'), ...one(t('By branch'), report.byBranch, '(no branch)'),
      ...requestsTable(t('Saved most'), best), ...requestsTable(t('Lost most'), worst),
    ]),
    ...(uncounted.length === 0 ? [] : ['', `## ${t('Without a figure')}`, '', ...markdownTable([t('Requests'), t('Why')], [true, false], uncounted.map(reason => [groupedText(reason.requests), markdownText(reasonText(reason))]))]),
    '', `## ${t('How it is counted')}`, '', ...savingsNotes(report).map(note => `- ${markdownText(note)}`), '',
  ].join('\n');
}

const barLength = 12;

/** @param bars each line has a bar of its size, which shows losses as such */
function sumsTable(title: string, rows: readonly (readonly [name: string, sums: SavingsSums])[], bars = false): string[] {
  const largest = Math.max(1, ...rows.map(([, { savedMicroUsd }]) => Math.abs(savedMicroUsd)));
  return markdownTable(
    [title, t('Requests'), t('Spent'), t('Baseline'), t('Saved'), t('At least to at most'), t('No figure'), ...(bars ? [''] : [])], [false, true, true, true, true, true, true, ...(bars ? [false] : [])],
    rows.map(([name, sums]) => [
      name, groupedText(sums.requests), usdText(sums.spentMicroUsd), `${sums.estimated > 0 ? '~' : ''}${usdText(sums.baselineMicroUsd)}`, signedUsdText(sums.savedMicroUsd),
      sums.savedLowMicroUsd === sums.savedHighMicroUsd ? '' : rangeText(signedUsdText(sums.savedLowMicroUsd), signedUsdText(sums.savedHighMicroUsd)),
      sums.uncounted === 0 ? '' : groupedText(sums.uncounted), ...(bars ? [bar(sums.savedMicroUsd, largest)] : []),
    ]),
  );
}

function bar(savedMicroUsd: number, largest: number): string {
  const length = Math.ceil(Math.abs(savedMicroUsd) / largest * barLength);
  return savedMicroUsd < 0 ? t('{0} lost', '▒'.repeat(length)) : '█'.repeat(length);
}

function requestsTable(title: string, requests: readonly SavingsRequest[]): string[] {
  if (requests.length === 0) return [];
  return ['', `## ${title}`, '', ...markdownTable(
    [t('Request'), t('When'), t('Tool'), t('Went to'), t('Baseline'), t('Spent'), t('Would have cost'), t('Saved')], [false, false, false, false, false, true, true, true],
    requests.map(({ id, startedAt, tool, target, baseline, spentMicroUsd, baselineMicroUsd, savedMicroUsd, estimated }) => [
      markdownText(id), momentText(startedAt), markdownText(tool), markdownText(target ?? t('no answer')), markdownText(baseline ?? t('none')), usdText(spentMicroUsd), `${estimated ? '~' : ''}${usdText(baselineMicroUsd)}`, signedUsdText(savedMicroUsd),
    ]),
  )];
}
