import { reportText, type CanaryReport } from '../api/canary.ts';
import { logText } from '../api/logText.ts';
import { isObject, parseJson } from '../base/json.ts';
import type { Command } from './arguments.ts';
import { failed, refusalIn } from './commandOutput.ts';
import { defaultDataDir } from './defaultDataDir.ts';
import { askLocal, localServerAt } from './localServer.ts';

/** Asks the running server of the data folder to do something with a canary. @returns the exit code: 0 where it was done */
export async function runCanary(command: Extract<Command, { command: 'canary' }>): Promise<number> {
  const { action, route } = command;
  const server = await localServerAt(command.dataDir ?? defaultDataDir(), command.port);
  if ('message' in server) return failed(server.message);
  const { status, text } = await askLocal(`${server.url}/waybill/canary`, server.token, { action, ...(route === undefined ? {} : { route }) });
  const answer = parseJson(text);
  if (status !== 200 || !isObject(answer) || !Array.isArray(answer['canaries'])) return failed(refusalIn(answer) ?? 'The server did not answer; its log may say why.');
  const canaries = answer['canaries'] as unknown as CanaryReport[];
  if (command.json) process.stdout.write(`${JSON.stringify(canaries)}\n`);
  else if (canaries.length === 0) process.stdout.write('No route has a canary; describe one as `canary` of a route first.\n');
  else process.stdout.write(`${canaries.map(report => reportText(report).split('\n').map(logText).join('\n')).join('\n\n')}\n`);
  return 0;
}
