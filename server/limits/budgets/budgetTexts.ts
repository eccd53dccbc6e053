import type { BudgetScope } from '../../api/budgets/budgetSettings.ts';
import type { BudgetStatus } from '../../api/budgets/budgetStatus.ts';
import { momentText } from '../../api/localization/times.ts';
import { said, type Said } from '../../api/localization/said.ts';

/** `$5.00`; small amounts have up to six decimals. */
export function dollarsText(microUsd: number): string {
  const digits = microUsd === 0 ? 2 : Math.max(2, Math.min(6, 1 - Math.floor(Math.log10(Math.abs(microUsd) / 1e6))));
  return `$${(microUsd / 1e6).toFixed(digits)}`;
}

/** `the budget "daily" of tool claude-code`, at the beginning of a sentence or within one. */
function subjectOf({ name, per, of }: BudgetStatus, place: 'first' | 'within'): Said {
  if (of === undefined) return place === 'first' ? said('The budget "{0}"', name) : said('the budget "{0}"', name);
  if (per === 'conversation') return place === 'first' ? said('The budget "{0}" of a conversation', name) : said('the budget "{0}" of a conversation', name);
  return place === 'first' ? said('The budget "{0}" of {1} {2}', name, scopeOf(per), of) : said('the budget "{0}" of {1} {2}', name, scopeOf(per), of);
}

function scopeOf(per: BudgetScope): Said | string {
  switch (per) {
    case 'workspace': return said('workspace');
    case 'branch': return said('branch');
    case 'tool': return said('tool');
    case 'endpoint': return said('endpoint');
    case 'route': return said('route');
    case 'extension': return said('extension');
    case 'token': return said('token');
    case 'everything': case 'conversation': return per;
  }
}

function spentText({ spentMicroUsd, reservedMicroUsd, limitMicroUsd, allowedMicroUsd = 0, unknown, period }: BudgetStatus): Said {
  const spent = `${dollarsText(spentMicroUsd + reservedMicroUsd)}${unknown === undefined ? '' : '+'}`;
  const limit = dollarsText(limitMicroUsd + allowedMicroUsd);
  switch (period) {
    case 'day': return said('{0} of {1} a day', spent, limit);
    case 'week': return said('{0} of {1} a week', spent, limit);
    case 'month': return said('{0} of {1} a month', spent, limit);
  }
}

export function nearMessage(status: BudgetStatus): Said {
  return said('{0} % of {1} is used: {2}. It begins anew at {3}.', Math.floor(status.share * 100), subjectOf(status, 'within'), spentText(status), momentText(status.resetsAt));
}

export function reachedMessage(status: BudgetStatus): Said {
  const [subject, spent, until] = [subjectOf(status, 'first'), spentText(status), momentText(status.resetsAt)];
  return status.isHard ? said('{0} is reached: {1}. Requests that would cost more than is left are not sent; it begins anew at {2}.', subject, spent, until)
    : said('{0} is reached: {1}. Requests are sent all the same, because it only warns; it begins anew at {2}.', subject, spent, until);
}

export function unpricedMessage(status: BudgetStatus, target: string): Said {
  return said('{0} does not count {1}, whose price is not known. Set the prices of the model at its endpoint.', subjectOf(status, 'first'), target);
}
