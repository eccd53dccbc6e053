import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { ProviderMessages } from '../../exchange/providerMessages.ts';
import type { McpSource } from '../../inbound/mcp/mcpTools.ts';
import { LedgerUnavailableError } from '../../ledger/ledgerUnavailable.ts';
import type { Ledger } from '../../ledger/ports.ts';
import { LedgerTooNewError } from '../../ledger/sqlite/ledgerErrors.ts';
import { openLedger } from '../../ledger/sqlite/sqliteLedger.ts';
import { History } from '../../router/history.ts';

/** Reads the ledger of a folder, which is opened for each question, so that it is held by nobody in between. @param log says what its opening mended */
export function ledgerSource(dataDir: string, log: Log): McpSource {
  const reading = async <Result>(read: (history: History) => Promise<Result>, nothing: () => NoInfer<Result>): Promise<Result> => {
    if (!existsSync(join(dataDir, 'ledger.db'))) return nothing();
    const ledger = opened(dataDir, log);
    try {
      return await read(new History({ ledger, shared: ledger, running: { receipt: () => undefined }, costs: { pricedUpToNow: () => Promise.resolve() }, providerMessages: new ProviderMessages() }));
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

/** @throws LedgerUnavailableError with the sentence for a person when a newer version wrote it, or SQLite's error when the folder cannot be used */
function opened(dataDir: string, log: Log): Ledger {
  try {
    return openLedger({ dataDir, clock: systemClock, log, instanceId: randomUUID() });
  } catch (error) {
    throw error instanceof LedgerTooNewError ? new LedgerUnavailableError(error.message) : error;
  }
}
