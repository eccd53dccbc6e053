import { conditionText, type HealthState } from '../../api/condition.ts';
import { countText, usdText } from '../../api/reports/reportText.ts';
import type { EndpointStatus, StatusSnapshot } from '../../api/status.ts';
import { isObject, parseJson } from '../../base/json.ts';
import type { Command, ExitCode } from '../commandLine/command.ts';
import { askServer, notUnderstood } from './askServer.ts';
import { printJson, printLines, tableLines, toned, type Cell, type Tone } from './commandOutput.ts';
import { sumText } from './moneyText.ts';

const tones: Readonly<Record<HealthState, Tone>> = { healthy: 'good', degraded: 'doubtful', down: 'bad', unknown: 'quiet' };

/** Shows the running server. @returns the exit code: 1 where no route or model can serve */
export async function runStatus({ json, ...place }: Extract<Command, { command: 'status' }>): Promise<ExitCode> {
  const answer = await askServer(place, '/waybill/status');
  if ('exitCode' in answer) return answer.exitCode;
  const status = parseJson(answer.text);
  if (!isObject(status) || !Array.isArray(status['endpoints'])) return notUnderstood();
  if (json) printJson(status);
  else printLines(statusLines(status as unknown as ServerStatus, Date.now()));
  return servesNothing(status as unknown as ServerStatus) ? 1 : 0;
}

/** As `GET /waybill/status` gives it; a server of an earlier version does not say which it is. */
type ServerStatus = StatusSnapshot & { version?: string };

function servesNothing({ nothingCanServe, offered }: ServerStatus): boolean {
  return nothingCanServe || offered.length === 0;
}

/** @param now milliseconds since the epoch */
export function statusLines(status: ServerStatus, now: number): string[] {
  const { version, http, endpoints, offered, budgets = [], problems, running = 0, todayScope } = status;
  const routes = offered.filter(({ kind }) => kind === 'route');
  return [
    toned(`Waybill ${version ?? '(version unknown)'} at ${http.url ?? 'no address'}: ${servesNothing(status) ? 'nothing can serve' : 'serves'}, ${running} running, ${costOf(status)} today${ofWhom(status)}`, 'title'),
    ...section('ENDPOINT', ['STATE', 'TODAY'], endpoints.map(one => [one.name, conditionCell(one, now), costOf(one)])),
    ...section('ROUTE', ['STATE', 'TARGETS'], routes.map(one => [one.name, conditionCell(one, now), one.targets.join(', ')])),
    ...section('BUDGET', ['USED', 'OF'], budgets.map(({ name, of, spentMicroUsd, limitMicroUsd, allowedMicroUsd = 0, lifted, unknown = 0, state }) => [
      of === undefined ? name : `${name} (${of})`, { text: sumText({ microUsd: spentMicroUsd, estimatedMicroUsd: 0, unknownAttempts: unknown, unpricedAttempts: 0 }), tone: state === 'ok' ? 'good' : state === 'near' ? 'doubtful' : 'bad' }, lifted === true ? 'lifted' : usdText(limitMicroUsd + allowedMicroUsd),
    ])),
    ...(todayScope?.message === undefined ? [] : ['', toned(todayScope.message, 'doubtful')]),
    ...(problems.length === 0 ? [] : ['', toned('Problems of the configuration', 'title'), ...problems.map(({ file, line, message }) => toned(`${[file, line].filter(part => part !== undefined).join(':')}${file === undefined ? '' : ': '}${message}`, 'doubtful'))]),
  ];
}

function section(first: string, rest: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  if (rows.length === 0) return [];
  return ['', ...tableLines([[first, ...rest].map(text => ({ text, tone: 'quiet' as const })), ...rows])];
}

function conditionCell({ condition, state }: Pick<EndpointStatus, 'condition' | 'state'>, now: number): Cell {
  return { text: conditionText(condition, now), tone: tones[state] };
}

/** Whose spend of today it is, where replicas share a ledger. */
function ofWhom({ todayScope }: ServerStatus): string {
  if (todayScope === undefined) return '';
  return todayScope.replicas === 'own' ? ' by this replica alone' : ` by ${countText(todayScope.count ?? 1, 'replica')}`;
}

/** What was spent today, on all or at an endpoint. */
function costOf({ todayMicroUsd, todayEstimated, todayUnknown, todayUnpriced = [] }: Pick<StatusSnapshot, 'todayMicroUsd' | 'todayEstimated' | 'todayUnknown' | 'todayUnpriced'>): string {
  return sumText({ microUsd: todayMicroUsd, estimatedMicroUsd: todayEstimated ? 1 : 0, unknownAttempts: todayUnknown, unpricedAttempts: todayUnpriced.length });
}
