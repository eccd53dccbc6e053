import { programVersion } from '../../base/processIdentity.ts';
import { createInterface } from 'node:readline';
import { loadMcp } from '../../inbound/mcp/loadMcp.ts';
import type { McpServer } from '../../inbound/mcp/mcpServer.ts';
import type { Command } from '../commandLine/command.ts';
import { defaultDataDir } from '../defaultDataDir.ts';
import { warningsLog } from '../warningsLog.ts';
import { ledgerSource } from './ledgerSource.ts';
import { RunningServer } from './runningServer.ts';

/**
 * Serves the tools of Waybill to an agent over standard input and output, one JSON message a line. Calls of tools go to the running
 * server of the data folder; while none runs, they read its ledger. Ends with its input.
 */
export async function runMcp({ port, dataDir = defaultDataDir() }: Extract<Command, { command: 'mcp' }>): Promise<void> {
  const { McpServer: Server } = await loadMcp();
  const log = warningsLog();
  const alone = new Server({
    version: programVersion, source: ledgerSource(dataDir, log),
    failed: error => { process.stderr.write(`A tool failed (${error instanceof Error ? error.name : 'unknown error'}).\n`); },
  });
  const running = RunningServer.of(dataDir, port);
  const answering = new Set<Promise<void>>();
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    const answer = answerLine(alone, running, line).then(text => { if (text !== undefined) process.stdout.write(`${text}\n`); });
    answering.add(answer);
    void answer.finally(() => answering.delete(answer));
  }
  alone.close();
  await Promise.allSettled(answering);
}

async function answerLine(alone: McpServer, running: RunningServer, line: string): Promise<string | undefined> {
  const answer = await running.answer(line) ?? await alone.answer(line);
  return answer.text;
}
