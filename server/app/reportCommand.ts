import { logText } from '../api/logText.ts';
import { isObject, parseJson } from '../base/json.ts';
import type { Command, ReportName } from './arguments.ts';
import { defaultDataDir } from './defaultDataDir.ts';
import { askLocal, localServerAt } from './localServer.ts';

/** Asks the running server of the data folder for a report, and prints it. @returns the exit code: 0 where there is one */
export async function runReport({ report, subject, days, dataDir, port, json }: Extract<Command, { command: 'report' }>): Promise<number> {
  const server = await localServerAt(dataDir ?? defaultDataDir(), port);
  if ('message' in server) return failed(server.message);
  const query = new URLSearchParams({ days: String(days), ...(subject === undefined ? {} : { [subjectNames[report]]: subject }), ...(json ? {} : { format: 'markdown' }) });
  const { status, text } = await askLocal(`${server.url}/waybill/${report}?${query.toString()}`, server.token);
  if (status !== 200) return failed(refusalIn(text) ?? 'The server did not answer; its log may say why.');
  process.stdout.write(`${text.trimEnd().split('\n').map(logText).join('\n')}\n`);
  return 0;
}

/** What each report is about, as its path names it. */
const subjectNames: Readonly<Record<ReportName, string>> = { savings: 'baseline', migration: 'to', incidents: 'endpoint' };

function failed(message: string): number {
  process.stderr.write(`${logText(message)}\n`);
  return 1;
}

function refusalIn(text: string): string | undefined {
  const answer = parseJson(text);
  const error = isObject(answer) ? answer['error'] : undefined;
  const message = isObject(error) ? error['message'] : undefined;
  return typeof message === 'string' ? message : undefined;
}
