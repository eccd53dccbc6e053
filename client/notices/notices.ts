import { t } from '@vscode/l10n';
import type { BudgetAction } from '../../server/api/budgets/budgetStatus.ts';
import { liftTitles } from '../base/budgetWording.ts';
import type { NoticeParams } from '../../server/api/messages.ts';
import type { StatusSnapshot } from '../../server/api/status.ts';

export type NoticeAction =
  | { title: string; kind: 'open'; url: string }
  | { title: string; kind: 'replaceKey'; endpoint: string }
  | { title: string; kind: 'checkHealth' }
  | { title: string; kind: 'showIncidents' }
  | { title: string; kind: 'canaryReport'; route: string }
  | { title: string; kind: 'budget'; action: Exclude<BudgetAction, 'restore'>; budget: string }
  | { title: string; kind: 'editBudgets' };

/** The buttons under a notice, the most helpful first. */
export function noticeActions(notice: NoticeParams): NoticeAction[] {
  switch (notice.kind) {
    case 'key-rejected':
      return [
        { title: t('Replace Key…'), kind: 'replaceKey', endpoint: notice.endpoint },
        ...(notice.helpUrl === undefined ? [] : [{ title: t('Open Key Page'), kind: 'open' as const, url: notice.helpUrl }]),
      ];
    case 'no-money':
      return notice.helpUrl === undefined ? [] : [{ title: t('Open Billing Page'), kind: 'open', url: notice.helpUrl }];
    case 'certificate':
      return notice.helpUrl === undefined ? [] : [{ title: t('Learn More'), kind: 'open', url: notice.helpUrl }];
    case 'offline':
    case 'portal':
      return [{ title: t('Check Health Now'), kind: 'checkHealth' }];
    case 'alert': return alertActions(notice);
    case 'no-route':
      return [{ title: t('Check Health Now'), kind: 'checkHealth' }, { title: t('Show Incidents…'), kind: 'showIncidents' }];
    case 'canary-rolled-back':
      return notice.route === undefined ? [] : [{ title: t('Show Report'), kind: 'canaryReport', route: notice.route }];
    case 'budget-near':
    case 'budget-unpriced':
      return [{ title: t('Edit Budgets…'), kind: 'editBudgets' }];
    case 'budget-reached':
      return notice.budget === undefined ? [] : [
        { title: t('Allow $1 More'), kind: 'budget', action: 'allow', budget: notice.budget.key },
        { title: liftTitles[notice.budget.period], kind: 'budget', action: 'lift', budget: notice.budget.key },
        { title: t('Edit Budgets…'), kind: 'editBudgets' },
      ];
  }
}

/** What is over asks nothing of anybody. */
function alertActions({ alert }: NoticeParams): NoticeAction[] {
  if (alert?.event === 'over') return [];
  if (alert?.when === 'budget' || alert?.when === 'spend') return [{ title: t('Edit Budgets…'), kind: 'editBudgets' }];
  return [{ title: t('Check Health Now'), kind: 'checkHealth' }, { title: t('Show Incidents…'), kind: 'showIncidents' }];
}

/**
 * Remembers which notices were shown, so that each is shown once per endpoint, until the endpoint is healthy again
 * (or its keys changed): then it may be shown again.
 */
export class NoticeMemory {
  readonly #shown = new Set<string>();

  /** True the first time; from then on false until forgotten. The server itself says once that a canary was rolled back, where a budget stands, and what an alert found. */
  isNew(notice: Pick<NoticeParams, 'kind' | 'endpoint'>): boolean {
    if (notice.kind === 'canary-rolled-back' || notice.kind === 'alert' || notice.kind.startsWith('budget-')) return true;
    const id = `${notice.endpoint}\n${notice.kind}`;
    if (this.#shown.has(id)) return false;
    this.#shown.add(id);
    return true;
  }

  /** Forgets what was said about endpoints that are healthy again, and about the machine's own link when it is. */
  recover(status: Pick<StatusSnapshot, 'endpoints' | 'link' | 'nothingCanServe'>): void {
    for (const endpoint of status.endpoints) if (endpoint.state === 'healthy') this.forget(endpoint.name);
    if (status.link === undefined && !status.nothingCanServe) this.forget('');
  }

  forget(endpoint: string): void {
    for (const id of this.#shown) if (id.startsWith(`${endpoint}\n`)) this.#shown.delete(id);
  }
}
