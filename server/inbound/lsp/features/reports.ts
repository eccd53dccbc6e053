import type { CancellationToken } from 'vscode-languageserver';
import { dearestSpendRequest, spendDashboardRequest } from '../../../api/reports/dashboard.ts';
import { cacheReportRequest, incidentsRequest, migrationRequest, savingsRequest } from '../../../api/reports/reportMessages.ts';
import type { LspFeature } from './feature.ts';

/** Reports over what was used. */
export const reportsFeature: LspFeature = {
  name: 'reports',
  register({ editor, router }) {
    editor.onRequest(savingsRequest, (params, token) => untilCancelled(token, signal => router.reports.savings.report(params, signal)));
    editor.onRequest(migrationRequest, (params, token) => untilCancelled(token, signal => router.reports.migration.report(params, signal)));
    editor.onRequest(incidentsRequest, (params, token) => untilCancelled(token, signal => router.reports.incidents.report(params, signal)));
    editor.onRequest(cacheReportRequest, (params, token) => untilCancelled(token, signal => router.reports.cache.report(params, signal)));
    editor.onRequest(spendDashboardRequest, params => router.reports.spend.dashboard(params));
    editor.onRequest(dearestSpendRequest, params => router.reports.spend.dearest(params));
    return undefined;
  },
};

/** Does work that ends early when the editor cancels its request. */
export async function untilCancelled<Result>(token: CancellationToken, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const aborter = new AbortController();
  const registration = token.onCancellationRequested(() => aborter.abort());
  try {
    return await work(aborter.signal);
  } finally {
    registration.dispose();
  }
}
