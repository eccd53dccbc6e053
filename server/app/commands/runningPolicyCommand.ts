import { reportText, type CanaryReport } from '../../api/canary.ts';
import { shadowText, type ShadowReport } from '../../api/shadow.ts';
import { isObject, parseJson } from '../../base/json.ts';
import type { Command, ExitCode } from '../commandLine/command.ts';
import { askServer, notUnderstood } from './askServer.ts';
import { print, printJson } from './commandOutput.ts';

/** Asks the running server of the data folder to do something with a canary or a shadow. @returns the exit code: 0 where it was done */
export function runOnPolicy(command: Extract<Command, { command: 'canary' | 'shadow' }>): Promise<ExitCode> {
  return command.command === 'canary' ? run<CanaryReport>(command, 'canaries', reportText) : run<ShadowReport>(command, 'shadows', shadowText);
}

async function run<Report>({ command, action, route, json, ...place }: Extract<Command, { command: 'canary' | 'shadow' }>, field: string, textOf: (report: Report) => string): Promise<ExitCode> {
  const answer = await askServer(place, `/waybill/${command}`, { action, ...(route === undefined ? {} : { route }) });
  if ('exitCode' in answer) return answer.exitCode;
  const body = parseJson(answer.text);
  const found = isObject(body) ? body[field] : undefined;
  if (!Array.isArray(found)) return notUnderstood();
  const reports = found as unknown as Report[];
  if (json) printJson(reports);
  else if (reports.length === 0) print(`No route has a ${command}; describe one as \`${command}\` of a route first.`);
  else print(reports.map(textOf).join('\n\n'));
  return 0;
}
