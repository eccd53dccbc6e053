import { conditionText } from '../../api/condition.ts';
import type { EndpointState } from '../../api/endpoints/pause.ts';
import { asString, isObject, parseJson } from '../../base/json.ts';
import type { Command, ExitCode } from '../commandLine/command.ts';
import { askServer, notUnderstood } from './askServer.ts';
import { failed, print, printJson } from './commandOutput.ts';

/** A probe waits for its provider. */
const answerMs = 60_000;

/** Shows what endpoints of the running server can do, or does something with one. @returns the exit code: 0 where it was done */
export async function runEndpoint({ action, endpoint, span, json, ...place }: Extract<Command, { command: 'endpoint' }>): Promise<ExitCode> {
  const order = action === 'status' ? undefined : { action, endpoint, ...(span === undefined ? {} : { for: span }) };
  const answer = await askServer(place, '/waybill/endpoints', order, answerMs);
  if ('exitCode' in answer) return answer.exitCode;
  const body = parseJson(answer.text);
  const found = isObject(body) ? body['endpoints'] : undefined;
  if (!isObject(body) || !Array.isArray(found)) return notUnderstood();
  const states = (found as unknown as EndpointState[]).filter(one => endpoint === undefined || one.endpoint === endpoint);
  if (action === 'status' && endpoint !== undefined && states.length === 0) return failed(`There is no endpoint "${endpoint}".`);
  const now = Date.now();
  if (json) printJson(states);
  else if (action !== 'status') print(asString(body['message']) ?? '');
  else if (states.length === 0) print('The configuration has no endpoints.');
  else print(states.map(one => `${one.endpoint}: ${conditionText(one.condition, now)}`).join('\n'));
  return 0;
}
