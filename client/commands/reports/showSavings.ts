import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { englishOf } from '../../../server/api/localization/said.ts';
import { savingsMarkdown, savingsVerdict } from '../../../server/api/reports/savingsText.ts';
import type { SpendFilter } from '../../../server/api/reports/dashboard.ts';
import { UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import { saidDimension } from '../../views/dashboard/dimensions.ts';
import { picksOf } from '../../views/dashboard/dashboardState.ts';
import { askChoice, valueOf } from '../input/quickInput.ts';
import type { CommandServices } from '../services.ts';
import { placeChoices, reportPeriods, type ReportPeriod } from './reportSteps.ts';

const title = t('Show Savings');
const save = t('Save…');

/** Where reports are shown and saved. */
export interface ReportPlace {
  show(name: string, markdown: string): Promise<void>;
  save(fileName: string, markdown: string): Promise<void>;
}

/** First and last local day, such as `2026-11-20`. */
export interface GivenDays { fromDay: string; toDay: string }

/** "Show Savings…": asks what to compare with and, where they are not given, for which days, and shows the comparison as a document. @param filter which requests are compared */
export async function showSavings(services: CommandServices, place: ReportPlace, given?: GivenDays, filter: SpendFilter = {}): Promise<void> {
  const baseline = await askPlace(services, { title, placeholder: t('Compare with what? Choose, or type a model or endpoint/model') }, [
    { label: t('Always the First Target'), description: t('of each route, as it is listed now'), value: 'first' },
  ]);
  if (baseline === undefined) return;
  const period = given ?? await askPeriod(title, 2);
  if (period === undefined) return;
  const result = await withProgress(t('Adding up what was saved…'), token => services.server.savings({ baseline, fromDay: period.fromDay, toDay: period.toDay, filter }, token));
  if (result === undefined) return;
  if ('problem' in result) throw new UserError(result.problem);
  const markdown = savingsMarkdown(result.report, picked(filter));
  await place.show('Savings.md', markdown);
  if (await inform(savingsVerdict(result.report), save) === save) await place.save(`waybill-savings-${period.fromDay}-to-${period.toDay}.md`, markdown);
}

/** What the requests of a filter have in common, each as `Tool: codex`. */
export function picked(filter: SpendFilter): string[] {
  return picksOf(filter).map(({ dimension, value }) => `${englishOf(saidDimension(dimension))}: ${value ?? '(not recorded)'}`);
}

/** Asks for what to compare with. @param first what stands above the endpoints, models and providers */
export async function askPlace(services: CommandServices, look: { title: string; placeholder: string }, first: readonly { label: string; description: string; value: string }[]): Promise<string | undefined> {
  return valueOf(await askChoice<string>({
    ...look, step: 1, totalSteps: 2, items: [...first, ...placeChoices(services.server.status, await services.server.catalog())],
    typed: text => ({ label: text, description: t('as typed'), value: text }),
  }));
}

export async function askPeriod(of: string, step: number): Promise<ReportPeriod | undefined> {
  return valueOf(await askChoice<ReportPeriod>({
    title: of, step, totalSteps: step, placeholder: t('Which days?'), items: reportPeriods(Date.now()).map(period => ({ label: period.label, description: period.description, value: period })),
  }));
}

/** Shows that something runs, which can be cancelled. @returns undefined where it was */
export function withProgress<Result>(message: string, work: (token: vscode.CancellationToken) => Promise<Result>): Thenable<Result | undefined> {
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: message, cancellable: true }, async (_progress, token) => {
    try {
      return await work(token);
    } catch (error) {
      if (token.isCancellationRequested) return undefined;
      throw error;
    }
  });
}
