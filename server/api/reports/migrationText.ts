import { t } from '@vscode/l10n';
import { shownMessage } from '../localization/said.ts';
import type { FeatureUse, MigrationReport, MovedLine } from './migration.ts';
import { countOfRequests, groupedText, markdownTable, markdownText, momentText, percentText, rangeText, reasonText, signedUsdText, usdText } from './reportText.ts';

const stateWords: Readonly<Record<FeatureUse['state'], string>> = { there: t('there'), otherwise: t('in another way'), missing: `**${t('missing')}**`, unknown: t('not known') };

/** Kinds of tokens as the server names them. */
const tokenWords: Readonly<Record<string, string>> = {
  'fresh input': t('fresh input'), 'read from cache': t('read from cache'), 'written to cache': t('written to cache'), 'written to 1 h cache': t('written to 1 h cache'), 'output': t({ message: 'output', comment: 'tokens' }), 'reasoning': t({ message: 'reasoning', comment: 'tokens' }),
};

/** Stands for the source of a price where no price was needed. */
const nothingUsed = 'nothing was used';

function featureText({ feature: message, saidFeature }: FeatureUse): string {
  return shownMessage({ message, said: saidFeature });
}

/** What the report found, in a few sentences. */
export function migrationVerdict({ totals, requests, uncounted, features }: MigrationReport): string {
  if (requests === 0) return t('No request ended in these days.');
  const lacking = features.filter(({ state }) => state === 'missing').map(featureText);
  const rest = uncounted.reduce((sum, one) => sum + one.requests, 0);
  const there = `${totals.estimated ? '~' : ''}${usdText(totals.microUsd)}${totals.lowMicroUsd === totals.highMicroUsd ? '' : ` (${rangeText(usdText(totals.lowMicroUsd), usdText(totals.highMicroUsd))})`}`;
  return [
    totals.requests === 0 ? t('No request can be priced on both sides.')
      : t('{0} cost {1} here and would cost {2} there: {3}.', countOfRequests(totals.requests), usdText(totals.spentMicroUsd), there, differenceText(totals.spentMicroUsd - totals.microUsd, totals.spentMicroUsd)),
    ...(rest === 0 ? [] : [rest === 1 ? t('1 more has no figure and is in no sum.') : t('{0} more have no figure and are in no sum.', groupedText(rest))]),
    lacking.length === 0 ? t('Nothing that is used is known to be missing there.') : t('Missing there: {0}.', lacking.join(', ')),
  ].join(' ');
}

/** `$0.12 less (20 %)`. @param saved what moving saves; negative where it costs more */
function differenceText(saved: number, spentMicroUsd: number): string {
  if (saved === 0) return t('no difference');
  const difference = saved > 0 ? t({ message: '{0} less', comment: 'an amount of money', args: [usdText(saved)] }) : t({ message: '{0} more', comment: 'an amount of money', args: [usdText(-saved)] });
  return spentMicroUsd > 0 ? `${difference} (${percentText(Math.abs(saved) / spentMicroUsd)})` : difference;
}

/** A report as Markdown. @param only what its requests have in common, such as `Tool: codex` */
export function migrationMarkdown(report: MigrationReport, only: readonly string[] = []): string {
  const { used, tools, features, featuresUnknown, lines, totals, uncounted, steps, requests, unanswered, fromCache } = report;
  const to = markdownText(shownMessage({ message: report.to, said: report.saidTo }));
  const days = report.days === 1 ? t('1 day') : t('{0} days', groupedText(report.days));
  const made = [report.fromDay, report.toDay, days, momentText(report.at)] as const;
  const head = [
    `# ${t('Migration report')}`, '',
    report.of === undefined ? t('To: {0}. {1} to {2} ({3}), made {4}.', to, ...made) : t('To: {0}. Of: what endpoint {1} answered. {2} to {3} ({4}), made {5}.', to, markdownText(report.of), ...made), '',
    ...(only.length === 0 ? [] : [t('Only requests with {0}. Each counts with all its attempts.', only.map(markdownText).join(', ')), '']),
    `**${markdownText(migrationVerdict(report))}**`,
  ];
  if (requests === 0) return [...head, ''].join('\n');
  const notes = [
    t('By tool: {0}.', tools.map(({ name, requests: count }) => `${markdownText(name)} ${groupedText(count)}`).join(', ')),
    ...(unanswered === 0 ? [] : [unanswered === 1 ? t('1 request had no answer and is in no figure below.') : t('{0} requests had no answer and are in no figure below.', groupedText(unanswered))]),
    ...(fromCache === 0 ? [] : [fromCache === 1 ? t('1 request was answered from a response cache, which costs nothing here or there.') : t('{0} requests were answered from a response cache, which costs nothing here or there.', groupedText(fromCache))]),
  ];
  return [
    ...head,
    '', `## ${t('What was used')}`, '',
    ...markdownTable(
      [t('Target'), t('Requests'), t('Fresh input'), t('Read from cache'), t('Written to cache'), t('Output'), t('of it reasoning'), t('Spent')], [false, true, true, true, true, true, true, true],
      used.map(({ target, usage, spentMicroUsd, estimated, unknown, requests: count }) => [
        markdownText(target), groupedText(count), tokensText(usage.inputTokens), tokensText(usage.cacheReadTokens), tokensText(usage.cacheWriteTokens === undefined && usage.cacheWrite1hTokens === undefined ? undefined : (usage.cacheWriteTokens ?? 0) + (usage.cacheWrite1hTokens ?? 0)),
        tokensText(usage.outputTokens), tokensText(usage.reasoningTokens), unknown === count && spentMicroUsd === 0 ? t('unknown') : `${estimated ? '~' : ''}${usdText(spentMicroUsd)}${unknown > 0 ? '+' : ''}`,
      ]),
    ),
    '', notes.join(' '),
    '', `## ${t('What the other side makes of it')}`, '',
    ...markdownTable([t('Used'), t('Requests'), t('There'), t('Why')], [false, true, false, false], features.map(use => [markdownText(featureText(use)), use.requests === undefined ? '' : groupedText(use.requests), stateWords[use.state], markdownText(shownMessage({ message: use.words, said: use.saidWords }))])),
    ...(featuresUnknown === 0 ? [] : ['', featuresUnknown === 1 ? t('For 1 request the ledger does not say what it used: an earlier version recorded it.') : t('For {0} requests the ledger does not say what they used: an earlier version recorded them.', groupedText(featuresUnknown))]),
    '', t('What each provider refuses, with sources, is in docs/providers.md; what a translation between protocols leaves out in docs/translation.md.'),
    '', `## ${t('What it would cost')}`, '',
    ...(lines.length === 0 ? [t('No request can be priced on both sides.')] : [
      ...markdownTable(
        [t('From'), t({ message: 'To', comment: 'where requests would go' }), t('Requests'), t('Spent'), t('There'), t('At least to at most'), t('Difference')], [false, false, true, true, true, true, true],
        [...lines.map(line => [
          markdownText(line.from), markdownText(line.to), groupedText(line.requests), usdText(line.spentMicroUsd), `${line.estimated ? '~' : ''}${usdText(line.microUsd)}`, boundsText(line), signedUsdText(line.microUsd - line.spentMicroUsd),
        ]), [`**${t('All')}**`, '', groupedText(totals.requests), usdText(totals.spentMicroUsd), `${totals.estimated ? '~' : ''}${usdText(totals.microUsd)}`, boundsText(totals), signedUsdText(totals.microUsd - totals.spentMicroUsd)]],
      ),
      '', `### ${t('The arithmetic')}`, '', ...lines.flatMap(arithmetic),
    ]),
    ...(uncounted.length === 0 ? [] : ['', `### ${t('Without a figure')}`, '', ...markdownTable([t('Requests'), t('Why')], [true, false], uncounted.map(reason => [groupedText(reason.requests), markdownText(reasonText(reason))]))]),
    '', `## ${t('The way there')}`, '', ...steps.flatMap(({ title, saidTitle, text, saidText, code }, index) => [
      `### ${String(index + 1)}. ${markdownText(shownMessage({ message: title, said: saidTitle }))}`, '', shownMessage({ message: text, said: saidText }), '', ...(code ?? []).flatMap(block => [`\`\`\`${block.language}`, block.text, '```', '']),
    ]),
    `## ${t('How it is counted')}`, '',
    `- ${t('Spent holds everything that was sent for a request, failed and second attempts included; the other side is taken to answer once, with the same tokens in the same buckets.')}`,
    `- ${t('Tokens are those that were counted here. Where the model is another one, its tokenizer may count 78 to 129 % of them (the bounds), and its answers have another length (not bounded): the figure is an estimate (~).')}`,
    `- ${t('Each line of the arithmetic is rounded to the micro-dollar, and the lines add up to the sum. Prices are those of the time of each request where the list has dates, else those of now.')}`,
    '',
  ].join('\n');
}

function tokensText(tokens: number | undefined): string {
  return tokens === undefined ? '' : groupedText(tokens);
}

function boundsText({ lowMicroUsd, highMicroUsd }: Pick<MovedLine, 'lowMicroUsd' | 'highMicroUsd'>): string {
  return lowMicroUsd === highMicroUsd ? '' : rangeText(usdText(lowMicroUsd), usdText(highMicroUsd));
}

function arithmetic({ from, to, requests, items, feesMicroUsd, microUsd, priceSource, priceAsOf }: MovedLine): string[] {
  const source = markdownText(priceSource === nothingUsed ? t('nothing was used') : priceSource);
  return [
    t('{0} to {1}, {2}, price: {3}', markdownText(from), markdownText(to), countOfRequests(requests), priceAsOf === undefined ? source : t('{0}, as of {1}', source, markdownText(priceAsOf))), '',
    ...items.map(item => `- ${t('{0} {1} × ${2} a million = {3}', groupedText(item.tokens), tokenWords[item.what] ?? item.what, String(item.perMTok), usdText(item.microUsd))}`),
    ...(feesMicroUsd === 0 ? [] : [`- ${t('fees for requests, and the rounding of each request = {0}', usdText(feesMicroUsd))}`]),
    `- ${t('together {0}', usdText(microUsd))}`, '',
  ];
}
