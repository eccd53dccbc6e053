import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { ProviderMessages } from '../../exchange/providerMessages.ts';
import { loadMcp } from '../../inbound/mcp/loadMcp.ts';
import type { McpServer } from '../../inbound/mcp/mcpServer.ts';
import type { McpSource } from '../../inbound/mcp/mcpTools.ts';
import type { Ledger } from '../../ledger/ports.ts';
import { openLedger } from '../../ledger/sqlite/sqliteLedger.ts';
import { History } from '../../router/history.ts';
import type { Command } from '../arguments.ts';
import { defaultDataDir } from '../defaultDataDir.ts';
import { RunningServer } from './runningServer.ts';

/**
 * Serves the tools of Waybill to an agent over standard input and output, one JSON message a line. Calls of tools go to the running
 * server of the data folder; while none runs, they read its ledger. Ends with its input.
 */
export async function runMcp({ port, dataDir = defaultDataDir() }: Extract<Command, { command: 'mcp' }>): Promise<void> {
  const { McpServer: Server } = await loadMcp();
  const alone = new Server({
    version: process.env.WAYBILL_VERSION ?? '0.0.0', source: ledgerSource(dataDir),
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

/** Reads the ledger of a folder, which is opened for each question, so that it is held by nobody in between. */
function ledgerSource(dataDir: string): McpSource {
  const reading = async <Result>(read: (history: History) => Promise<Result>, nothing: () => NoInfer<Result>): Promise<Result> => {
    if (!existsSync(join(dataDir, 'ledger.db'))) return nothing();
    const ledger: Ledger = openLedger({ dataDir, clock: systemClock, log: silentLog, instanceId: randomUUID() });
    try {
      return await read(new History({ ledger, running: { receipt: () => undefined }, costs: { pricedUpToNow: () => Promise.resolve() }, providerMessages: new ProviderMessages() }));
    } finally {
      ledger.shutdown();
    }
  };
  return {
    now: () => systemClock.now(),
    spend: range => reading(history => history.spend(range), () => ({ range, totals: { microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 0, usage: {} }, byEndpoint: [], byModel: [], byTool: [], byWorkspace: [], byDay: [] })),
    find: ({ filter, limit, after }, signal) => reading(history => history.find(filter, limit, after, signal), () => ({ requests: [] })),
    receipt: id => reading(history => history.receipt(id), () => undefined),
  };
}
