import type { BudgetScope, BudgetSettings } from '../../../server/api/budgets/budgetSettings.ts';
import { readUsd } from '../../base/amount.ts';

/** What a budget can be for, as it is offered. */
export const scopeTitles: Readonly<Record<BudgetScope, { readonly one: string; readonly detail: string }>> = {
  everything: { one: 'Everything', detail: 'All that is sent from this machine' },
  conversation: { one: 'Conversation', detail: 'Every conversation has the amount for itself' },
  workspace: { one: 'Workspace', detail: 'What is asked in a folder' },
  branch: { one: 'Branch', detail: 'What is asked on a branch of a repository' },
  tool: { one: 'Tool', detail: 'A connected tool, or VS Code\'s chat' },
  endpoint: { one: 'Endpoint', detail: 'What a provider gets' },
  route: { one: 'Route', detail: 'What asks for a route' },
  extension: { one: 'Extension', detail: 'An extension that asks in VS Code' },
};

/**
 * The limit of a budget as a person writes it; see readUsd.
 * @returns US dollars above 0 and up to 1,000,000, or what to write instead, as a sentence
 */
export function readLimit(text: string): number | string {
  const microUsd = readUsd(text);
  if (typeof microUsd === 'string') return microUsd;
  return microUsd > 0 && microUsd <= 1_000_000_000_000 ? microUsd / 1_000_000 : 'Write an amount above 0 and up to 1,000,000 US dollars, such as 5 or 0.50.';
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

/** A budget in one line: `$5 a day for each tool`. Its fields are as the user wrote them, so names can be one text. */
export function summaryOf(budget: BudgetSettings | undefined): string {
  if (budget === undefined) return '';
  const { limitUsd, period, per = 'everything', whenReached } = budget;
  const only: readonly unknown[] | undefined = budget.only === undefined ? undefined : [budget.only].flat();
  const whom = per === 'everything' ? 'for everything' : only === undefined ? `for each ${per}` : `for ${only.join(', ')}`;
  return `$${String(limitUsd)} a ${period} ${whom}${whenReached === 'warn' ? ', only warns' : ''}`;
}
