import * as vscode from 'vscode';
import { t } from '@vscode/l10n';
import { answersText, causesText, extraText, incidentsMarkdown, incidentsVerdict, lengthText, usualIncidentDays, type Incident, type IncidentReport } from '../../../server/api/reports/incidents.ts';
import { clockText } from '../../../server/api/condition.ts';
import { UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import type { CommandTarget } from '../commandTable.ts';
import { askChoice, type Choice } from '../input/quickInput.ts';
import { withProgress, type ReportPlace } from '../reports/showSavings.ts';
import type { CommandServices } from '../services.ts';

const title = t('Show Incidents');
/** The choice that is no incident and no request. */
const wholeReport = 'report';

/** "Show Incidents…": the incidents of the last days, each with the requests that it touched, whose receipts open from here; or all of it as a document. */
export async function showIncidents(services: CommandServices, target: CommandTarget, place: ReportPlace): Promise<void> {
  const params = { days: target.days ?? usualIncidentDays, ...(target.endpoint === undefined ? {} : { endpoint: target.endpoint }) };
  const result = await withProgress(t('Looking for incidents…'), token => services.server.incidents(params, token));
  if (result === undefined) return;
  if ('problem' in result) throw new UserError(result.problem);
  const { report } = result;
  if (report.incidents.length === 0) {
    await inform(incidentsVerdict(report));
    return;
  }
  for (;;) {
    const chosen = await askChoice<Incident | typeof wholeReport>({ title, placeholder: incidentsVerdict(report), items: incidentChoices(report) });
    if (chosen.kind !== 'value') return;
    if (chosen.value === wholeReport) {
      await place.show('Incidents.md', incidentsMarkdown(report));
      return;
    }
    if (chosen.value.touched.length === 0) {
      await inform(t('{0}: {1} No request was touched.', chosen.value.endpoint, chosen.value.message ?? causesText(chosen.value)));
      return;
    }
    const request = await askChoice<string>({ title: `${title}: ${chosen.value.endpoint}`, placeholder: chosen.value.message ?? causesText(chosen.value), canGoBack: true, items: requestChoices(chosen.value, report.at) });
    if (request.kind === 'cancel') return;
    if (request.kind === 'back') continue;
    await vscode.commands.executeCommand('waybill.openReceipt', request.value);
    return;
  }
}

/** One line for each incident, and one for the document. */
export function incidentChoices({ incidents, at, left }: IncidentReport): Choice<Incident | typeof wholeReport>[] {
  return [
    ...incidents.map(one => ({
      label: `$(${one.until === undefined ? 'error' : 'history'}) ${one.endpoint}: ${causesText(one)}`, description: `${clockText(one.from, at, 'down')}, ${lengthText(one)}`,
      detail: one.requests === 0 ? t('Only probes noticed it.') : t('{0}; extra cost {1}', answersText(one), extraText(one)), value: one,
    })),
    { label: t('$(markdown) Show as a Document'), description: left === 0 ? '' : t('{0} older ones are left out', left), value: wholeReport },
  ];
}

function requestChoices({ touched, requests }: Incident, at: number): Choice<string>[] {
  return touched.map(({ id, startedAt, answeredBy }, index) => ({
    label: `$(${answeredBy === undefined ? 'error' : 'pass'}) ${clockText(startedAt, at, 'down')}`, description: answeredBy === undefined ? t('was not answered') : t('answered by {0}', answeredBy),
    ...(index === touched.length - 1 && requests > touched.length ? { detail: t('{0} earlier ones are in Show Requests', requests - touched.length) } : {}), value: id,
  }));
}
