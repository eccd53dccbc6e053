import type { FeatureUse, MigrationReport, MovedLine } from './migration.ts';
import { countText, groupedText, markdownTable, markdownText, momentText, percentText, signedUsdText, usdText } from './reportText.ts';

const stateWords: Readonly<Record<FeatureUse['state'], string>> = { there: 'there', otherwise: 'in another way', missing: '**missing**', unknown: 'not known' };

/** What the report found, in a few sentences. */
export function migrationVerdict({ totals, requests, uncounted, features }: MigrationReport): string {
  if (requests === 0) return 'No request ended in these days.';
  const lacking = features.filter(({ state }) => state === 'missing').map(({ feature }) => feature);
  const rest = uncounted.reduce((sum, one) => sum + one.requests, 0);
  const saved = totals.spentMicroUsd - totals.microUsd;
  const bounds = totals.lowMicroUsd === totals.highMicroUsd ? '' : ` (${usdText(totals.lowMicroUsd)} to ${usdText(totals.highMicroUsd)})`;
  return (totals.requests === 0 ? 'No request can be priced on both sides.'
    : `${countText(totals.requests, 'request')} cost ${usdText(totals.spentMicroUsd)} here and would cost ${totals.estimated ? '~' : ''}${usdText(totals.microUsd)}${bounds} there: ${differenceText(saved, totals.spentMicroUsd)}.`)
    + (rest === 0 ? '' : ` ${countText(rest, 'more has', 'more have')} no figure and ${rest === 1 ? 'is' : 'are'} in no sum.`)
    + (lacking.length === 0 ? ' Nothing that is used is known to be missing there.' : ` Missing there: ${lacking.join(', ')}.`);
}

/** `$0.12 less (20 %)`. @param saved what moving saves; negative where it costs more */
function differenceText(saved: number, spentMicroUsd: number): string {
  if (saved === 0) return 'no difference';
  return `${usdText(Math.abs(saved))} ${saved > 0 ? 'less' : 'more'}${spentMicroUsd > 0 ? ` (${percentText(Math.abs(saved) / spentMicroUsd)})` : ''}`;
}

/** A report as Markdown. @param only what its requests have in common, such as `Tool: codex` */
export function migrationMarkdown(report: MigrationReport, only: readonly string[] = []): string {
  const { used, tools, features, featuresUnknown, lines, totals, uncounted, steps, requests, unanswered, fromCache } = report;
  const head = [
    '# Migration report', '',
    `To: ${markdownText(report.to)}.${report.of === undefined ? '' : ` Of: what endpoint ${markdownText(report.of)} answered.`} ${report.fromDay} to ${report.toDay} (${countText(report.days, 'day')}), made ${momentText(report.at)}.`, '',
    ...(only.length === 0 ? [] : [`Only requests with ${only.map(markdownText).join(', ')}. Each counts with all its attempts.`, '']),
    `**${markdownText(migrationVerdict(report))}**`,
  ];
  if (requests === 0) return [...head, ''].join('\n');
  return [
    ...head,
    '', '## What was used', '',
    ...markdownTable(
      ['Target', 'Requests', 'Fresh input', 'Read from cache', 'Written to cache', 'Output', 'of it reasoning', 'Spent'], [false, true, true, true, true, true, true, true],
      used.map(({ target, usage, spentMicroUsd, estimated, unknown, requests: count }) => [
        markdownText(target), groupedText(count), tokensText(usage.inputTokens), tokensText(usage.cacheReadTokens), tokensText(usage.cacheWriteTokens === undefined && usage.cacheWrite1hTokens === undefined ? undefined : (usage.cacheWriteTokens ?? 0) + (usage.cacheWrite1hTokens ?? 0)),
        tokensText(usage.outputTokens), tokensText(usage.reasoningTokens), unknown === count && spentMicroUsd === 0 ? 'unknown' : `${estimated ? '~' : ''}${usdText(spentMicroUsd)}${unknown > 0 ? '+' : ''}`,
      ]),
    ),
    '', `By tool: ${tools.map(({ name, requests: count }) => `${markdownText(name)} ${groupedText(count)}`).join(', ')}.${unanswered === 0 ? '' : ` ${countText(unanswered, 'request')} had no answer and ${unanswered === 1 ? 'is' : 'are'} in no figure below.`}${fromCache === 0 ? '' : ` ${countText(fromCache, 'request was', 'requests were')} answered from a response cache, which costs nothing here or there.`}`,
    '', '## What the other side makes of it', '',
    ...markdownTable(['Used', 'Requests', 'There', 'Why'], [false, true, false, false], features.map(({ feature, requests: count, state, words }) => [markdownText(feature), count === undefined ? '' : groupedText(count), stateWords[state], markdownText(words)])),
    ...(featuresUnknown === 0 ? [] : ['', `For ${countText(featuresUnknown, 'request')} the ledger does not say what ${featuresUnknown === 1 ? 'it' : 'they'} used: an earlier version recorded ${featuresUnknown === 1 ? 'it' : 'them'}.`]),
    '', 'What each provider refuses, with sources, is in docs/providers.md; what a translation between protocols leaves out in docs/translation.md.',
    '', '## What it would cost', '',
    ...(lines.length === 0 ? ['No request can be priced on both sides.'] : [
      ...markdownTable(
        ['From', 'To', 'Requests', 'Spent', 'There', 'At least to at most', 'Difference'], [false, false, true, true, true, true, true],
        [...lines.map(line => [
          markdownText(line.from), markdownText(line.to), groupedText(line.requests), usdText(line.spentMicroUsd), `${line.estimated ? '~' : ''}${usdText(line.microUsd)}`, boundsText(line), signedUsdText(line.microUsd - line.spentMicroUsd),
        ]), ['**All**', '', groupedText(totals.requests), usdText(totals.spentMicroUsd), `${totals.estimated ? '~' : ''}${usdText(totals.microUsd)}`, boundsText(totals), signedUsdText(totals.microUsd - totals.spentMicroUsd)]],
      ),
      '', '### The arithmetic', '', ...lines.flatMap(arithmetic),
    ]),
    ...(uncounted.length === 0 ? [] : ['', '### Without a figure', '', ...markdownTable(['Requests', 'Why'], [true, false], uncounted.map(({ requests: count, reason }) => [groupedText(count), markdownText(reason)]))]),
    '', '## The way there', '', ...steps.flatMap(({ title, text, code }, index) => [
      `### ${String(index + 1)}. ${markdownText(title)}`, '', text, '', ...(code ?? []).flatMap(block => [`\`\`\`${block.language}`, block.text, '```', '']),
    ]),
    '## How it is counted', '',
    '- Spent holds everything that was sent for a request, failed and second attempts included; the other side is taken to answer once, with the same tokens in the same buckets.',
    '- Tokens are those that were counted here. Where the model is another one, its tokenizer may count 78 to 129 % of them (the bounds), and its answers have another length (not bounded): the figure is an estimate (~).',
    '- Each line of the arithmetic is rounded to the micro-dollar, and the lines add up to the sum. Prices are those of the time of each request where the list has dates, else those of now.',
    '',
  ].join('\n');
}

function tokensText(tokens: number | undefined): string {
  return tokens === undefined ? '' : groupedText(tokens);
}

function boundsText({ lowMicroUsd, highMicroUsd }: Pick<MovedLine, 'lowMicroUsd' | 'highMicroUsd'>): string {
  return lowMicroUsd === highMicroUsd ? '' : `${usdText(lowMicroUsd)} to ${usdText(highMicroUsd)}`;
}

function arithmetic({ from, to, requests, items, feesMicroUsd, microUsd, priceSource }: MovedLine): string[] {
  return [
    `${markdownText(from)} to ${markdownText(to)}, ${countText(requests, 'request')}, price: ${markdownText(priceSource)}`, '',
    ...items.map(item => `- ${groupedText(item.tokens)} ${item.what} × $${String(item.perMTok)} a million = ${usdText(item.microUsd)}`),
    ...(feesMicroUsd === 0 ? [] : [`- fees for requests, and the rounding of each request = ${usdText(feesMicroUsd)}`]),
    `- together ${usdText(microUsd)}`, '',
  ];
}
