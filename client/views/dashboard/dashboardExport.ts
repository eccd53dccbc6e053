import { t } from '@vscode/l10n';
import * as vscode from 'vscode';
import type { TimeRange } from '../../../server/api/receipt.ts';
import { mostSpendRows } from '../../../server/api/reports/dashboard.ts';
import { dayName } from '../../base/figures.ts';
import { savePlace } from '../../base/savePlace.ts';
import type { WaybillServer } from '../../server/waybillServer.ts';
import { dashboardCsv, dashboardJson, spendByEveryDimension } from './dashboardFile.ts';
import type { DashboardState } from './dashboardState.ts';

interface FormatChoice extends vscode.QuickPickItem { format: 'csv' | 'json' }

/** "Export…" of the dashboard: asks for a format and a file, and writes the sums of its range and filter, all groups in full. */
export async function exportDashboard(server: WaybillServer, state: DashboardState, range: TimeRange): Promise<void> {
  const choices: FormatChoice[] = [
    { label: 'CSV', description: t('the table as it is chosen, every line in full'), format: 'csv' },
    { label: 'JSON', description: t('the sums by every dimension'), format: 'json' },
  ];
  const choice = await vscode.window.showQuickPick(choices, { title: t('Export Spend'), placeHolder: t('In which format?') });
  if (choice === undefined) return;
  const [first, last] = [dayName(range.from), dayName(range.to - 1)];
  const fileName = `waybill-spend-${first === last ? first : `${first}-to-${last}`}.${choice.format}`;
  const file = await vscode.window.showSaveDialog({
    title: t('Export Spend'), filters: { [choice.label]: [choice.format] }, defaultUri: savePlace(fileName),
  });
  if (file === undefined) return;
  try {
    const text = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: t('Exporting spend…') }, () => textOf(server, state, range, choice.format));
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(text));
  } catch (error) {
    void vscode.window.showErrorMessage(t('The spend was not exported: {0}', error instanceof Error ? error.message : String(error)));
    return;
  }
  const open = t('Open');
  if (await vscode.window.showInformationMessage(t('The spend was exported.'), open) === open) await vscode.commands.executeCommand('vscode.open', file);
}

async function textOf(server: WaybillServer, { rows, columns, filter }: DashboardState, range: TimeRange, format: 'csv' | 'json'): Promise<string> {
  const asked = { range, filter, limit: mostSpendRows };
  if (format === 'csv') return dashboardCsv(await server.spendDashboard({ ...asked, rows, columns }));
  const { dashboard, groups } = await spendByEveryDimension(dimension => server.spendDashboard({ ...asked, rows: dimension }));
  return dashboardJson(dashboard, filter, groups);
}
