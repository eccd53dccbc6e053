import { t } from '@vscode/l10n';
import type { BudgetStatus } from '../../../server/api/budgets/budgetStatus.ts';
import { budgetFigure, budgetNotes, budgetTitle } from '../../base/budgetWording.ts';
import type { SpendSection } from './spendModel.ts';

/** Where budgets stand, as a section of the Spend page; undefined where there are none. */
export function budgetSection(budgets: readonly BudgetStatus[] | undefined): SpendSection | undefined {
  if (budgets === undefined || budgets.length === 0) return undefined;
  return {
    title: t('Budgets'),
    rows: budgets.map(status => ({ name: budgetTitle(status), text: budgetFigure(status), detail: budgetNotes(status).join(', '), notes: '', share: Math.min(1, Math.max(0, status.share)), ...(status.state === 'ok' || status.lifted === true ? {} : { tone: status.state }) })),
  };
}
