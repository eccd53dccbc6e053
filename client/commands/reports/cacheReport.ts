import { t } from '@vscode/l10n';
import { cacheMarkdown, cacheVerdict } from '../../../server/api/reports/cacheReport.ts';
import { UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import type { CommandServices } from '../services.ts';
import { askPeriod, withProgress, type ReportPlace } from './showSavings.ts';

const save = t('Save…');

/** "Show Cache Report…": what prompt caches held in some days, as a document. */
export async function showCacheReport(services: CommandServices, place: ReportPlace): Promise<void> {
  const period = await askPeriod(t('Show Cache Report'), 1);
  if (period === undefined) return;
  const result = await withProgress(t('Adding up what caches held…'), token => services.server.cacheReport({ fromDay: period.fromDay, toDay: period.toDay }, token));
  if (result === undefined) return;
  if ('problem' in result) throw new UserError(result.problem);
  const markdown = cacheMarkdown(result.report);
  await place.show('Prompt Caches.md', markdown);
  if (await inform(cacheVerdict(result.report), save) === save) await place.save(`waybill-caches-${period.fromDay}-to-${period.toDay}.md`, markdown);
}
