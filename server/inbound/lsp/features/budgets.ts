import { budgetRequest } from '../../../api/budgets/budgetStatus.ts';
import type { LspFeature } from './feature.ts';

/** Allowing more of budgets. */
export const budgetsFeature: LspFeature = {
  name: 'budgets',
  register({ editor, router }) {
    editor.onRequest(budgetRequest, params => router.budgets.act(params));
    return undefined;
  },
};
