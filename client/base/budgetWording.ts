import type { BudgetStatus } from '../../server/api/budgets/budgetStatus.ts';
import type { BudgetPeriod } from '../../server/api/budgets/budgetSettings.ts';
import { formatMicroUsd } from './money.ts';

/** How a budget is lifted until it begins anew. */
export const liftTitles: Readonly<Record<BudgetPeriod, string>> = { day: 'Until Tomorrow', week: 'Until Next Week', month: 'Until Next Month' };

type Named = Pick<BudgetStatus, 'name' | 'per' | 'of'>;

/** `daily`, `agents: claude-code`. */
export function budgetTitle({ name, per, of }: Named): string {
  return of === undefined ? name : `${name}: ${per === 'conversation' ? 'a conversation' : of}`;
}

/** `$1.20 of $5.00 a day`, with what is unknown as `+`. */
export function budgetFigure({ spentMicroUsd, limitMicroUsd, allowedMicroUsd = 0, unknown, period }: BudgetStatus): string {
  return `${formatMicroUsd(spentMicroUsd)}${unknown === undefined ? '' : '+'} of ${formatMicroUsd(limitMicroUsd + allowedMicroUsd)} a ${period}`;
}

/** What else is to be said, each as a clause: what is reserved and left, whether it holds, and when it begins anew. */
export function budgetNotes({ reservedMicroUsd, leftMicroUsd, lifted, isHard, state, resetsAt }: BudgetStatus): string[] {
  return [
    ...(lifted === true ? ['lifted'] : [`${formatMicroUsd(Math.max(0, leftMicroUsd ?? 0))} left`]),
    ...(reservedMicroUsd > 0 ? [`${formatMicroUsd(reservedMicroUsd)} reserved`] : []),
    ...(isHard ? [] : ['only warns']),
    ...(state === 'reached' && lifted !== true ? ['reached'] : []),
    `until ${new Date(resetsAt).toLocaleDateString(undefined, { month: 'short', day: 'numeric' })}`,
  ];
}
