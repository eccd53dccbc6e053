import type { Command, ExitCode, ReportName } from '../commandLine/command.ts';
import { askServer } from './askServer.ts';
import { print } from './commandOutput.ts';

/** Asks the running server of the data folder for a report, and prints it. @returns the exit code: 0 where there is one */
export async function runReport({ report, subject, days, json, ...place }: Extract<Command, { command: 'report' }>): Promise<ExitCode> {
  const query = new URLSearchParams({ days: String(days), ...(subject === undefined ? {} : { [subjectNames[report]]: subject }), ...(json ? {} : { format: 'markdown' }) });
  const answer = await askServer(place, `/waybill/${report}?${query.toString()}`);
  if ('exitCode' in answer) return answer.exitCode;
  print(answer.text.trimEnd());
  return 0;
}

/** What each report is about, as its path names it. */
const subjectNames: Readonly<Record<ReportName, string>> = { savings: 'baseline', migration: 'to', incidents: 'endpoint' };
