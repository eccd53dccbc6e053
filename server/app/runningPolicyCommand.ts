import { reportText, type CanaryReport } from '../api/canary.ts';
import { logText } from '../api/logText.ts';
import { shadowText, type ShadowReport } from '../api/shadow.ts';
import { isObject, parseJson } from '../base/json.ts';
import type { Command } from './arguments.ts';
import { failed, refusalIn } from './commandOutput.ts';
import { defaultDataDir } from './defaultDataDir.ts';
import { askLocal, localServerAt } from './localServer.ts';

/** Asks the running server of the data folder to do something with a canary or a shadow. @returns the exit code: 0 where it was done */
export function runOnPolicy(command: Extract<Command, { command: 'canary' | 'shadow' }>): Promise<number> {
  return command.command === 'canary' ? run<CanaryReport>(command, 'canaries', reportText) : run<ShadowReport>(command, 'shadows', shadowText);
}

async function run<Report>({ command, action, route, port, dataDir, json }: Extract<Command, { command: 'canary' | 'shadow' }>, field: string, textOf: (report: Report) => string): Promise<number> {
  const server = await localServerAt(dataDir ?? defaultDataDir(), port);
  if ('message' in server) return failed(server.message);
  const { status, text } = await askLocal(`${server.url}/waybill/${command}`, server.token, { action, ...(route === undefined ? {} : { route }) });
  const answer = parseJson(text);
  const found = isObject(answer) ? answer[field] : undefined;
  if (status !== 200 || !Array.isArray(found)) return failed(refusalIn(answer) ?? 'The server did not answer; its log may say why.');
  const reports = found as unknown as Report[];
  if (json) process.stdout.write(`${JSON.stringify(reports)}\n`);
  else if (reports.length === 0) process.stdout.write(`No route has a ${command}; describe one as \`${command}\` of a route first.\n`);
  else process.stdout.write(`${reports.map(report => textOf(report).split('\n').map(logText).join('\n')).join('\n\n')}\n`);
  return 0;
}
