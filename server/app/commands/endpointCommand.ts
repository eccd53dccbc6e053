import { conditionText } from '../../api/condition.ts';
import type { EndpointState } from '../../api/endpoints/pause.ts';
import { logText } from '../../api/logText.ts';
import { asString, isObject, parseJson } from '../../base/json.ts';
import type { Command } from '../arguments.ts';
import { failed, refusalIn } from '../commandOutput.ts';
import { defaultDataDir } from '../defaultDataDir.ts';
import { askLocal, localServerAt } from '../localServer.ts';

/** A probe waits for its provider. */
const answerMs = 60_000;

/** Shows what endpoints of the running server can do, or does something with one. @returns the exit code: 0 where it was done */
export async function runEndpoint({ action, endpoint, span, dataDir, port, json }: Extract<Command, { command: 'endpoint' }>): Promise<number> {
  const server = await localServerAt(dataDir ?? defaultDataDir(), port);
  if ('message' in server) return failed(server.message);
  const order = action === 'status' ? undefined : { action, endpoint, ...(span === undefined ? {} : { for: span }) };
  const { status, text } = await askLocal(`${server.url}/waybill/endpoints`, server.token, order, answerMs);
  const answer = parseJson(text);
  const found = isObject(answer) ? answer['endpoints'] : undefined;
  if (status !== 200 || !isObject(answer) || !Array.isArray(found)) return failed(refusalIn(answer) ?? 'The server did not answer; its log may say why.');
  const states = (found as unknown as EndpointState[]).filter(one => endpoint === undefined || one.endpoint === endpoint);
  if (action === 'status' && endpoint !== undefined && states.length === 0) return failed(`There is no endpoint "${endpoint}".`);
  const now = Date.now();
  const lines = action === 'status' ? states.map(one => `${one.endpoint}: ${conditionText(one.condition, now)}`) : [asString(answer['message']) ?? ''];
  process.stdout.write(json ? `${JSON.stringify(states)}\n` : lines.map(line => `${logText(line)}\n`).join(''));
  return 0;
}
