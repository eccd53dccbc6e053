import { readSpendFilter } from '../../api/reports/dashboard.ts';
import type { GroupedSpend } from '../../api/reports/groupedSpend.ts';
import { countText, groupedText } from '../../api/reports/reportText.ts';
import { isObject, parseJson } from '../../base/json.ts';
import { localDay } from '../../base/localDay.ts';
import type { Command, ExitCode } from '../commandLine/command.ts';
import { defaultDataDir } from '../defaultDataDir.ts';
import { askLocal, localServerAt } from '../localServer.ts';
import { fromLedger } from '../recordedHistory.ts';
import { warningsLog } from '../warningsLog.ts';
import { notUnderstood, queryOf, whyRefused } from './askServer.ts';
import { failed, printJson, printLines, tableLines, toned, type Cell } from './commandOutput.ts';
import { sumText } from './moneyText.ts';

/** Sums over a long ledger take a while. */
const answerMs = 120_000;

/** Shows what requests cost, from the running server or, while none runs, from the ledger. @returns the exit code: 0 where it could be read */
export async function runSpend(command: Extract<Command, { command: 'spend' }>): Promise<ExitCode> {
  const spend = await read(command);
  if (typeof spend === 'number') return spend;
  if (command.json) printJson(spend);
  else printLines(spendLines(spend));
  return 0;
}

async function read(command: Extract<Command, { command: 'spend' }>): Promise<GroupedSpend | ExitCode> {
  const { range, by, filter, port, dataDir = defaultDataDir() } = command;
  const server = await localServerAt(dataDir, port);
  if ('message' in server) {
    try {
      const spend = port === undefined ? await fromLedger(dataDir, warningsLog(), history => history.grouped({ range, by, filter: readSpendFilter(filter) })) : undefined;
      return spend ?? failed(server.message, 3);
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error));
    }
  }
  const { status, text } = await askLocal(`${server.url}/waybill/spend?${queryOf(command, { by })}`, server.token, undefined, answerMs);
  if (status !== 200) return failed(whyRefused(text));
  const body = parseJson(text);
  return isObject(body) && Array.isArray(body['rows']) && isObject(body['totals']) ? body as unknown as GroupedSpend : notUnderstood();
}

/** The sums as a table, with a line for the total. */
export function spendLines({ range, by, totals, rows, scope }: GroupedSpend): string[] {
  const head = `${sumText(totals)} from ${localDay(range.from)} to ${localDay(range.to - 1)}: ${countText(totals.requests, 'request')}${scope?.replicas === 'all' ? ` of ${countText(scope.count ?? 1, 'replica')}` : ''}`;
  const cells = (name: string, row: GroupedSpend['rows'][number] | GroupedSpend['totals']): Cell[] => [
    name, sumText(row), groupedText(row.requests),
    ...('inputTokens' in row ? [row.inputTokens, row.cacheReadTokens, row.cacheWriteTokens, row.outputTokens].map(tokens => `${groupedText(tokens)}${row.tokenGaps > 0 ? '+' : ''}`) : []),
  ];
  const titles = [by.toUpperCase(), 'COST', 'REQUESTS', ...(by === 'day' ? [] : ['INPUT', 'CACHED', 'CACHE WRITE', 'OUTPUT'])];
  const table = rows.length === 0 ? [] : ['', ...tableLines([titles.map(text => ({ text, tone: 'quiet' as const })), ...rows.map(row => cells(row.name ?? '(not recorded)', row))], [1, 2, 3, 4, 5, 6])];
  const notes = [
    ...(totals.estimatedMicroUsd > 0 ? ['~ a part is estimated'] : []),
    ...(totals.unknownAttempts > 0 ? [`+ ${countText(totals.unknownAttempts, 'attempt')} of unknown cost ${totals.unknownAttempts === 1 ? 'is' : 'are'} in no sum`] : []),
    ...(totals.unpricedAttempts > 0 ? [`+ ${countText(totals.unpricedAttempts, 'attempt')} lack a part that has no price`] : []),
    ...(scope?.message === undefined ? [] : [scope.message]),
  ];
  return [toned(head, 'title'), ...table, ...(notes.length === 0 ? [] : ['', ...notes])];
}
