import { systemClock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { McpSource } from '../../inbound/mcp/mcpTools.ts';
import { LedgerUnavailableError } from '../../ledger/ledgerUnavailable.ts';
import { LedgerTooNewError } from '../../ledger/sqlite/ledgerErrors.ts';
import type { History } from '../../router/history.ts';
import { fromLedger } from '../recordedHistory.ts';

/** Reads the ledger of a folder, which is opened for each question. @param log says what its opening mended */
export function ledgerSource(dataDir: string, log: Log): McpSource {
  const reading = async <Result>(read: (history: History) => Promise<Result>, nothing: () => NoInfer<Result>): Promise<Result> => {
    try {
      return await fromLedger(dataDir, log, read) ?? nothing();
    } catch (error) {
      // It has the sentence for a person.
      throw error instanceof LedgerTooNewError ? new LedgerUnavailableError(error.message) : error;
    }
  };
  return {
    now: () => systemClock.now(),
    spend: range => reading(history => history.spend(range), () => ({ range, totals: { microUsd: 0, estimatedMicroUsd: 0, unknownAttempts: 0, exchanges: 0, usage: {} }, byEndpoint: [], byModel: [], byTool: [], byWorkspace: [], byDay: [] })),
    find: ({ filter, limit, after }, signal) => reading(history => history.find(filter, limit, after, signal), () => ({ requests: [] })),
    receipt: id => reading(history => history.receipt(id), () => undefined),
  };
}
