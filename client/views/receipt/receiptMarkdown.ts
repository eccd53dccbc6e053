import { t } from '@vscode/l10n';
import type { Fact, ReceiptAttempt, ReceiptCost, ReceiptPage } from './receiptModel.ts';
import type { TokenFigure } from '../../base/figures.ts';
import { escapeMarkdown, markdownCode } from '../../base/outcomeWording.ts';

/** The receipt as Markdown, for an issue or a message: the same facts as the page, in the same order. */
export function receiptMarkdown(page: ReceiptPage): string {
  const blocks = [
    `# ${t('Receipt: {0}', markdownCode(page.requestedModel))}`,
    outcomeLine(page),
    ...(page.message === undefined ? [] : [`> ${escapeMarkdown(page.message)}`]),
    factTable([...page.facts, ...tokenFacts(page.tokens)]),
    `## ${t('Plan')}`,
    escapeMarkdown(page.why),
    `${escapeMarkdown(page.plan.summary)}.`,
    page.plan.targets.map((target, index) =>
      `${index + 1}. ${markdownCode(target.target)}${target.upstream === undefined ? '' : ` (${t('as {0}', markdownCode(target.upstream))})`}${target.standIn === undefined ? '' : ` (${escapeMarkdown(target.standIn)})`}: ${target.state}`).join('\n'),
    ...(page.plan.excluded.length === 0 ? [] : [
      t('Left out:'),
      page.plan.excluded.map(({ target, reason }) => `- ${markdownCode(target)}: ${escapeMarkdown(reason)}`).join('\n'),
    ]),
    `## ${t('Attempts')}`,
    ...(page.attempts.length === 0 ? [t('None: no request was sent to a provider.')] : page.attempts.flatMap(attemptBlocks)),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function outcomeLine({ outcome, answeredBy, cost }: ReceiptPage): string {
  const fate = escapeMarkdown(outcome);
  const paid = cost.text === t('no cost') ? withNote(cost) : t('cost {0}', withNote(cost));
  return answeredBy === undefined ? `${fate}, ${paid}.` : t('{0} by {1}, {2}.', fate, markdownCode(answeredBy), paid);
}

function attemptBlocks(attempt: ReceiptAttempt): string[] {
  return [
    `### ${attempt.number}. ${markdownCode(attempt.target)}: ${escapeMarkdown(attempt.outcome)}${attempt.drill ? ` (${t('fire drill')})` : ''}`,
    ...(attempt.message === undefined ? [] : [`> ${escapeMarkdown(attempt.message)}`]),
    factTable([
      ...attempt.facts,
      ...tokenFacts(attempt.tokens, attempt.tokensEstimated),
      { label: t('Cost'), value: withNote(attempt.cost) },
    ]),
  ];
}

function withNote(cost: ReceiptCost): string {
  return cost.note === '' ? cost.text : `${cost.text} (${cost.note})`;
}

function tokenFacts(tokens: readonly TokenFigure[], estimated = false): Fact[] {
  if (tokens.length === 0) return [];
  return [{ label: estimated ? t('Tokens (estimated)') : t('Tokens'), value: tokens.map(({ label, exact }) => `${label.toLowerCase()} ${exact}`).join(', ') }];
}

function factTable(facts: readonly Fact[]): string {
  return ['| | |', '|:--|:--|', ...facts.map(({ label, value, isId }) => `| ${escapeMarkdown(label)} | ${isId === true ? markdownCode(value, true) : escapeMarkdown(value)} |`)].join('\n');
}
