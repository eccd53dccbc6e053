import type { ExchangeObserver } from '../../exchange/events.ts';
import type { BudgetBook } from '../../limits/budgets/budgetBook.ts';

/** A person is told what budgets kept from being sent, and what they could not count. */
export function budgetsObserver(budgets: Pick<BudgetBook, 'ended' | 'priced'>): ExchangeObserver {
  return {
    name: 'Budgets',
    onEnded({ receipt }) { budgets.ended(receipt); },
    onPriced({ receipt }) { budgets.priced(receipt); },
  };
}
