import { t } from '@vscode/l10n';
import { migrationMarkdown, migrationVerdict } from '../../../server/api/reports/migrationText.ts';
import type { SpendFilter } from '../../../server/api/reports/dashboard.ts';
import { UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import type { CommandServices } from '../services.ts';
import { askPeriod, askPlace, picked, withProgress, type GivenDays, type ReportPlace } from './showSavings.ts';

const title = t('Migration Report');
const save = t('Save…');

/** "Migration Report…": asks where to move and, where they are not given, which days to go by, and shows what that would mean as a document. @param filter which requests it is about */
export async function migrationReport(services: CommandServices, place: ReportPlace, given?: GivenDays, filter: SpendFilter = {}): Promise<void> {
  const to = await askPlace(services, { title, placeholder: t('Move where? Choose, or type a model or endpoint/model') }, []);
  if (to === undefined) return;
  const period = given ?? await askPeriod(title, 2);
  if (period === undefined) return;
  const result = await withProgress(t('Adding up what was used…'), token => services.server.migration({ to, fromDay: period.fromDay, toDay: period.toDay, filter }, token));
  if (result === undefined) return;
  if ('problem' in result) throw new UserError(result.problem);
  const markdown = migrationMarkdown(result.report, picked(filter));
  await place.show('Migration Report.md', markdown);
  if (await inform(migrationVerdict(result.report), save) === save) await place.save(`waybill-migration-${period.fromDay}-to-${period.toDay}.md`, markdown);
}
