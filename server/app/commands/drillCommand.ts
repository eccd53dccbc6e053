import type { DrillStatus, DrillSummary, RunningDrill } from '../../api/drill.ts';
import { clockText } from '../../api/condition.ts';
import { isObject, parseJson } from '../../base/json.ts';
import type { DrillCommand, ExitCode } from '../commandLine/command.ts';
import { askServer, notUnderstood } from './askServer.ts';
import { print, printJson } from './commandOutput.ts';

interface DrillAnswer { drill: DrillStatus | null; started?: RunningDrill; ended?: DrillSummary[] }

/** Starts, shows or ends fire drills of the running server. @returns the exit code: 0 where it was done */
export async function runDrill(command: DrillCommand): Promise<ExitCode> {
  const answer = await askServer(command, '/waybill/drills', orderOf(command));
  if ('exitCode' in answer) return answer.exitCode;
  const body = parseJson(answer.text);
  if (!isObject(body) || body['drill'] === undefined) return notUnderstood();
  if (command.json) printJson(body);
  else print(linesOf(command, body as unknown as DrillAnswer, Date.now()).join('\n'));
  return 0;
}

function orderOf(command: DrillCommand): object | undefined {
  if (command.action === 'status') return undefined;
  if (command.action === 'stop') return { action: 'stop', ...(command.id === undefined ? {} : { id: command.id }) };
  const { endpoint, fault, durationMs, model, keyId, slowMs } = command;
  return { action: 'start', endpoint, fault, durationMs, ...(model === undefined ? {} : { model }), ...(keyId === undefined ? {} : { keyId }), ...(slowMs === undefined ? {} : { slowMs }) };
}

function linesOf({ action }: DrillCommand, { drill, ended = [] }: DrillAnswer, now: number): string[] {
  if (action === 'stop') return ended.length === 0 ? ['No drill runs.'] : ended.map(summary => `Ended ${nameOf(summary)}: ${countsOf(summary)}.`);
  if (drill === null || drill.running.length === 0) return [`No drill runs.${drill?.last === undefined ? '' : ` The last one: ${nameOf(drill.last)}: ${countsOf(drill.last)}.`}`];
  return [
    ...drill.running.map(one => `${nameOf(one)} until ${clockText(one.until, now, 'up')} (id ${one.id})`),
    `${countsOf(drill.counts)}.`,
    ...drill.routes.map(({ name, note }) => `${name}: ${note}`),
  ];
}

function nameOf({ endpoint, fault, model, keyName }: RunningDrill): string {
  return `${fault} at ${endpoint}${model === undefined ? '' : `, model ${model}`}${keyName === undefined ? '' : `, key ${keyName}`}`;
}

function countsOf({ met, answered, failed }: { met: number; answered: number; failed: number }): string {
  return `${met} ${met === 1 ? 'request' : 'requests'} met it, ${answered} answered, ${failed} failed`;
}
