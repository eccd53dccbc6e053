import { t } from '@vscode/l10n';
import type { BudgetOrder, BudgetStatus } from '../../server/api/budgets/budgetStatus.ts';
import type { BudgetPeriod } from '../../server/api/budgets/budgetSettings.ts';
import { currentLanguage } from '../../server/api/localization/localization.ts';
import { said, shownIfKnown } from '../../server/api/localization/said.ts';
import { formatMicroUsd } from './money.ts';

/** How a budget is lifted until it begins anew. */
export const liftTitles: Readonly<Record<BudgetPeriod, string>> = { day: t('Until Tomorrow'), week: t('Until Next Week'), month: t('Until Next Month') };

type Named = Pick<BudgetStatus, 'name' | 'per' | 'of'>;

/** `daily`, `agents: claude-code`, `Access of codex` where the budget is part of what a tool may do. */
export function budgetTitle({ name, per, of }: Named): string {
  if (per === 'token' && of === name) return t('Access of {0}', of);
  return of === undefined ? name : per === 'conversation' ? t('{0}: a conversation', name) : `${name}: ${of}`;
}

/** `$1.20 of $5.00 a day`, with what is unknown as `+`. */
export function budgetFigure({ spentMicroUsd, limitMicroUsd, allowedMicroUsd = 0, unknown, period }: BudgetStatus): string {
  const spent = `${formatMicroUsd(spentMicroUsd)}${unknown === undefined ? '' : '+'}`;
  const limit = formatMicroUsd(limitMicroUsd + allowedMicroUsd);
  switch (period) {
    case 'day': return t('{0} of {1} a day', spent, limit);
    case 'week': return t('{0} of {1} a week', spent, limit);
    case 'month': return t('{0} of {1} a month', spent, limit);
  }
}

/** What else is to be said, each as a clause: what is reserved and left, whether it holds, and when it begins anew. */
export function budgetNotes({ reservedMicroUsd, leftMicroUsd, lifted, isHard, state, resetsAt }: BudgetStatus): string[] {
  return [
    ...(lifted === true ? [t('lifted')] : [t('{0} left', formatMicroUsd(Math.max(0, leftMicroUsd ?? 0)))]),
    ...(reservedMicroUsd > 0 ? [t('{0} reserved', formatMicroUsd(reservedMicroUsd))] : []),
    ...(isHard ? [] : [t('only warns')]),
    ...(state === 'reached' && lifted !== true ? [t('reached')] : []),
    t('until {0}', new Date(resetsAt).toLocaleDateString(currentLanguage(), { month: 'short', day: 'numeric' })),
  ];
}

/** What a server said when a budget was allowed more, in the language of the editor. @param known the budgets of the status */
export function allowedText({ budget, usd = 1 }: BudgetOrder, message: string, known: readonly BudgetStatus[] = []): string {
  const status = known.find(one => one.key === budget);
  if (status === undefined) return message;
  const until = /until (\d{4}-\d\d-\d\d \d\d:\d\d)\.$/.exec(message)?.[1] ?? '';
  return shownIfKnown(message, [
    said('{0} more is allowed of the budget "{1}" until {2}.', `$${usd.toFixed(2)}`, status.name, until),
    said('The budget "{0}" holds nothing back until {1}.', status.name, until),
    said('The budget "{0}" holds as it is set.', status.name),
  ]);
}
