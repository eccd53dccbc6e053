import type { BudgetStatus } from '../../api/budgets/budgetStatus.ts';

/** `$5.00`; small amounts have up to six decimals. */
export function dollarsText(microUsd: number): string {
  const digits = microUsd === 0 ? 2 : Math.max(2, Math.min(6, 1 - Math.floor(Math.log10(Math.abs(microUsd) / 1e6))));
  return `$${(microUsd / 1e6).toFixed(digits)}`;
}

/** A local moment: `2026-11-28 00:00`. */
export function untilText(at: number): string {
  const date = new Date(at);
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `The budget "daily" of tool claude-code`. */
function subjectOf({ name, per, of }: BudgetStatus): string {
  return `The budget "${name}"${of === undefined ? '' : per === 'conversation' ? ' of a conversation' : ` of ${per} ${of}`}`;
}

function spentText({ spentMicroUsd, reservedMicroUsd, limitMicroUsd, allowedMicroUsd = 0, unknown, period }: BudgetStatus): string {
  return `${dollarsText(spentMicroUsd + reservedMicroUsd)}${unknown === undefined ? '' : '+'} of ${dollarsText(limitMicroUsd + allowedMicroUsd)} a ${period}`;
}

export function nearMessage(status: BudgetStatus): string {
  const subject = subjectOf(status);
  return `${String(Math.floor(status.share * 100))} % of ${subject.charAt(0).toLowerCase()}${subject.slice(1)} is used: ${spentText(status)}. It begins anew at ${untilText(status.resetsAt)}.`;
}

export function reachedMessage(status: BudgetStatus): string {
  const follows = status.isHard ? 'Requests that would cost more than is left are not sent' : 'Requests are sent all the same, because it only warns';
  return `${subjectOf(status)} is reached: ${spentText(status)}. ${follows}; it begins anew at ${untilText(status.resetsAt)}.`;
}

export function unpricedMessage(status: BudgetStatus, target: string): string {
  return `${subjectOf(status)} does not count ${target}, whose price is not known. Set the prices of the model at its endpoint.`;
}
