import { t } from '@vscode/l10n';
import * as vscode from 'vscode';
import type { TimeRange } from '../../../server/api/receipt.ts';
import { requestsCsv } from '../../../server/api/reports/requestRows.ts';
import { dayName } from '../../base/figures.ts';
import { savePlace } from '../../base/savePlace.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { collectRequests } from '../shared/requestsPaging.ts';
import { spendSummaryCsv } from './spendCsv.ts';
import { lastMonthRange, spendRange } from './spendRange.ts';

const mostRequests = 1_000_000;

interface PeriodChoice extends vscode.QuickPickItem { range: TimeRange; fileLabel: string }
interface ContentChoice extends vscode.QuickPickItem { content: 'summary' | 'requests' }

/** The command "Export Spend as CSV…": asks for a period, a content and a file, and writes it. */
export async function exportSpend(server: WaybillServer): Promise<void> {
  const period = await vscode.window.showQuickPick(periodChoices(Date.now()), { title: t('Export Spend as CSV ({0}/{1})', 1, 2), placeHolder: t('Which period?') });
  if (period === undefined) return;
  const contents: ContentChoice[] = [
    { label: t('Summary'), description: t('sums by provider, model, tool, workspace and day'), content: 'summary' },
    { label: t('Every Request'), description: t('one line for each request'), content: 'requests' },
  ];
  const choice = await vscode.window.showQuickPick(contents, { title: t('Export Spend as CSV ({0}/{1})', 2, 2), placeHolder: t('What should be in the file?') });
  if (choice === undefined) return;
  const fileName = `waybill-${choice.content === 'summary' ? 'spend' : 'requests'}-${period.fileLabel}.csv`;
  const file = await vscode.window.showSaveDialog({
    title: t('Export Spend as CSV'),
    filters: { CSV: ['csv'] },
    defaultUri: savePlace(fileName),
  });
  if (file === undefined) return;
  try {
    const text = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: t('Exporting spend…'), cancellable: true },
      (_progress, token) => readCsv(server, choice.content, period.range, token),
    );
    if (text === undefined) return;
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(text));
  } catch (error) {
    void vscode.window.showErrorMessage(t('The spend was not exported: {0}', error instanceof Error ? error.message : String(error)));
    return;
  }
  const open = t('Open');
  const answer = await vscode.window.showInformationMessage(t('The spend was exported.'), open);
  if (answer === open) await vscode.commands.executeCommand('vscode.open', file);
}

async function readCsv(server: WaybillServer, content: ContentChoice['content'], range: TimeRange, token: vscode.CancellationToken): Promise<string | undefined> {
  if (content === 'summary') {
    const report = await server.spend({ range });
    return token.isCancellationRequested ? undefined : spendSummaryCsv(report);
  }
  const collected = await collectRequests((params) => server.requests(params), {
    ...range, limit: mostRequests, pageSize: 500, isCancelled: () => token.isCancellationRequested,
  });
  return token.isCancellationRequested ? undefined : requestsCsv(collected.requests);
}

function periodChoices(now: number): PeriodChoice[] {
  const choice = (label: string, range: TimeRange): PeriodChoice => {
    // The range is half-open: its last day is the one before `to`.
    const [first, last] = [dayName(range.from), dayName(range.to - 1)];
    return { label, description: first === last ? first : t('{0} to {1}', first, last), range, fileLabel: first === last ? first : `${first}-to-${last}` };
  };
  return [
    choice(t('This Month'), spendRange('month', now)),
    choice(t('Last Month'), lastMonthRange(now)),
    choice(t('Last 7 Days'), spendRange('week', now)),
    choice(t('Today'), spendRange('today', now)),
  ];
}
