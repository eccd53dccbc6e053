import * as vscode from 'vscode';
import { answersText, causesText, extraText, incidentsMarkdown, incidentsVerdict, lengthText, usualIncidentDays, type Incident, type IncidentReport } from '../../../server/api/reports/incidents.ts';
import { clockText } from '../../../server/api/condition.ts';
import { UserError } from '../../base/errors.ts';
import { inform } from '../../base/toasts.ts';
import type { CommandTarget } from '../commandTable.ts';
import { askChoice, type Choice } from '../input/quickInput.ts';
import { withProgress, type ReportPlace } from '../reports/showSavings.ts';
import type { CommandServices } from '../services.ts';

const title = 'Show Incidents';
/** The choice that is no incident and no request. */
const wholeReport = 'report';

/** "Show Incidents…": the incidents of the last days, each with the requests that it touched, whose receipts open from here; or all of it as a document. */
export async function showIncidents(services: CommandServices, target: CommandTarget, place: ReportPlace): Promise<void> {
  const params = { days: target.days ?? usualIncidentDays, ...(target.endpoint === undefined ? {} : { endpoint: target.endpoint }) };
  const result = await withProgress('Looking for incidents…', token => services.server.incidents(params, token));
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
      await inform(`${chosen.value.endpoint}: ${chosen.value.message ?? causesText(chosen.value)} No request was touched.`);
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
      detail: one.requests === 0 ? 'Only probes noticed it.' : `${answersText(one)}; extra cost ${extraText(one)}`, value: one,
    })),
    { label: '$(markdown) Show as a Document', description: left === 0 ? '' : `${String(left)} older ones are left out`, value: wholeReport },
  ];
}

function requestChoices({ touched, requests }: Incident, at: number): Choice<string>[] {
  return touched.map(({ id, startedAt, answeredBy }, index) => ({
    label: `$(${answeredBy === undefined ? 'error' : 'pass'}) ${clockText(startedAt, at, 'down')}`, description: answeredBy === undefined ? 'was not answered' : `answered by ${answeredBy}`,
    ...(index === touched.length - 1 && requests > touched.length ? { detail: `${String(requests - touched.length)} earlier ones are in Show Requests` } : {}), value: id,
  }));
}
