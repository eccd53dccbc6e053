import { shadowText, type ShadowReport } from '../api/shadow.ts';
import { logText } from '../api/logText.ts';
import { isObject, parseJson } from '../base/json.ts';
import type { Command } from './arguments.ts';
import { failed, refusalIn } from './commandOutput.ts';
import { defaultDataDir } from './defaultDataDir.ts';
import { askLocal, localServerAt } from './localServer.ts';

/** Asks the running server of the data folder to do something with a shadow. @returns the exit code: 0 where it was done */
export async function runShadow(command: Extract<Command, { command: 'shadow' }>): Promise<number> {
  const { action, route } = command;
  const server = await localServerAt(command.dataDir ?? defaultDataDir(), command.port);
  if ('message' in server) return failed(server.message);
  const { status, text } = await askLocal(`${server.url}/waybill/shadow`, server.token, { action, ...(route === undefined ? {} : { route }) });
  const answer = parseJson(text);
  if (status !== 200 || !isObject(answer) || !Array.isArray(answer['shadows'])) return failed(refusalIn(answer) ?? 'The server did not answer; its log may say why.');
  const shadows = answer['shadows'] as unknown as ShadowReport[];
  if (command.json) process.stdout.write(`${JSON.stringify(shadows)}\n`);
  else if (shadows.length === 0) process.stdout.write('No route has a shadow; describe one as `shadow` of a route first.\n');
  else process.stdout.write(`${shadows.map(report => shadowText(report).split('\n').map(logText).join('\n')).join('\n\n')}\n`);
  return 0;
}
