import { isObject, parseJson } from '../../base/json.ts';
import type { AskedRequests, ExitCode, ServerPlace } from '../commandLine/command.ts';
import { defaultDataDir } from '../defaultDataDir.ts';
import { askLocal, localServerAt } from '../localServer.ts';
import { failed } from './commandOutput.ts';

/** An answer of the running server, or the exit code of a command that got none, after its reason was said. */
export type Answered = { readonly text: string } | { readonly exitCode: ExitCode };

/**
 * Asks the running server of a data folder.
 * @param path below the address of the server, with its query
 * @param body JSON to post; absent: a GET
 * @param waitMs how long nothing may come
 */
export async function askServer({ port, dataDir }: ServerPlace, path: string, body?: unknown, waitMs?: number): Promise<Answered> {
  const server = await localServerAt(dataDir ?? defaultDataDir(), port);
  if ('message' in server) return { exitCode: failed(server.message, 3) };
  const { status, text } = await askLocal(`${server.url}${path}`, server.token, body, waitMs);
  return status === 200 ? { text } : { exitCode: failed(whyRefused(text)) };
}

/** Why there is no answer: the sentence of a refusal, where there is one. */
export function whyRefused(text: string): string {
  const answer = parseJson(text);
  const error = isObject(answer) ? answer['error'] : undefined;
  const message = isObject(error) ? error['message'] : undefined;
  return typeof message === 'string' ? message : 'The server did not answer; its log may say why.';
}

/** Requests, as the query of a path names them. @param more what else it asks for */
export function queryOf({ range, filter }: Pick<AskedRequests, 'range' | 'filter'>, more: Readonly<Record<string, string>>): string {
  return new URLSearchParams({ from: String(range.from), to: String(range.to), ...more, ...Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, String(value)])) }).toString();
}

/** An answer that is not as the server of this version gives it. @returns the exit code */
export function notUnderstood(): ExitCode {
  return failed('The running server is of another version, and its answer is not understood: restart it.');
}
