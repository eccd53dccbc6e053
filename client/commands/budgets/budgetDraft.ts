import { t } from '@vscode/l10n';
import { mostBudgetMicroUsd } from '../../../server/api/access/tokenAccess.ts';
import type { BudgetScope, BudgetSettings } from '../../../server/api/budgets/budgetSettings.ts';
import { readUsd } from '../../base/amount.ts';
import { formatMicroUsd } from '../../base/money.ts';

/** What a budget can be for, as it is offered. */
export const scopeTitles: Readonly<Record<BudgetScope, { readonly one: string; readonly detail: string; readonly which: string; readonly each: string; readonly forEach: string }>> = {
  everything: { one: t('Everything'), detail: t('All that is sent from this machine'), which: '', each: '', forEach: t('for everything') },
  conversation: { one: t('Conversation'), detail: t('Every conversation has the amount for itself'), which: '', each: t('Each Conversation'), forEach: t('for each conversation') },
  workspace: { one: t('Workspace'), detail: t('What is asked in a folder'), which: t('Which workspace? Choose or type a name'), each: t('Each Workspace'), forEach: t('for each workspace') },
  branch: { one: t('Branch'), detail: t('What is asked on a branch of a repository'), which: t('Which branch? Choose or type a name'), each: t('Each Branch'), forEach: t('for each branch') },
  tool: { one: t('Tool'), detail: t('A connected tool, or VS Code\'s chat'), which: t('Which tool? Choose or type a name'), each: t('Each Tool'), forEach: t('for each tool') },
  endpoint: { one: t('Endpoint'), detail: t('What a provider gets'), which: t('Which endpoint? Choose or type a name'), each: t('Each Endpoint'), forEach: t('for each endpoint') },
  route: { one: t('Route'), detail: t('What asks for a route'), which: t('Which route? Choose or type a name'), each: t('Each Route'), forEach: t('for each route') },
  extension: { one: t('Extension'), detail: t('An extension that asks in VS Code'), which: t('Which extension? Choose or type a name'), each: t('Each Extension'), forEach: t('for each extension') },
  token: { one: t('Token'), detail: t('A connected tool, or a person or team that has a token'), which: t('Which token? Choose or type its id'), each: t('Each Token'), forEach: t('for each token') },
};

/**
 * The limit of a budget as a person writes it; see readUsd.
 * @returns US dollars above 0 and up to 1,000,000, or what to write instead, as a sentence
 */
export function readLimit(text: string): number | string {
  const microUsd = readUsd(text);
  if (typeof microUsd === 'string') return microUsd;
  return microUsd > 0 && microUsd <= mostBudgetMicroUsd ? microUsd / 1_000_000 : t('Write an amount above 0 and up to 1,000,000 US dollars, such as 5 or 0.50.');
}

const periodNames = { day: 'daily', week: 'weekly', month: 'monthly' } as const;

/** A name that is free: `daily`, `monthly-claude-code`, `daily-2`. */
export function budgetNameFor({ period, per = 'everything', only }: BudgetSettings, taken: ReadonlySet<string>): string {
  const whose = per === 'everything' ? '' : `-${only?.[0] ?? per}`;
  const base = `${periodNames[period]}${whose}`.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 56);
  const used = new Set([...taken].map(name => name.toLowerCase()));
  let name = base;
  for (let number = 2; used.has(name.toLowerCase()); number += 1) name = `${base}-${String(number)}`;
  return name;
}

/** The budgets among what a user wrote: something else in place of one is reported by the server, and cannot be edited step by step. */
export function writtenBudgets(written: Readonly<Record<string, unknown>>): Record<string, BudgetSettings> {
  return Object.fromEntries(Object.entries(written).filter((entry): entry is [string, BudgetSettings] => typeof entry[1] === 'object' && entry[1] !== null));
}

/** A budget in one line: `$5.00 a day for each tool`. Its fields are as the user wrote them, so names can be one text. */
export function summaryOf(budget: BudgetSettings | undefined): string {
  if (budget === undefined) return '';
  const { limitUsd, period, per = 'everything', whenReached } = budget;
  const only: readonly unknown[] | undefined = budget.only === undefined ? undefined : [budget.only].flat();
  const whom = per === 'everything' || only === undefined ? scopeWords(per) : t('for {0}', only.join(', '));
  const amount = formatMicroUsd(Math.round(limitUsd * 1_000_000));
  const limit = period === 'day' ? t('{0} a day {1}', amount, whom) : period === 'week' ? t('{0} a week {1}', amount, whom) : period === 'month' ? t('{0} a month {1}', amount, whom) : `${amount} ${whom}`;
  return whenReached === 'warn' ? t('{0}, only warns', limit) : limit;
}

/** What the user wrote may be no scope at all. */
function scopeWords(per: BudgetScope): string {
  return Object.hasOwn(scopeTitles, per) ? scopeTitles[per].forEach : String(per);
}
