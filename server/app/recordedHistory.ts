import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SpendReport } from '../api/receipt.ts';
import { systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { ProviderMessages } from '../exchange/providerMessages.ts';
import type { Ledger } from '../ledger/ports.ts';
import { openLedger } from '../ledger/sqlite/sqliteLedger.ts';
import { History, type HistoryOptions } from '../router/history.ts';

/**
 * Reads the ledger of a data folder, which is opened for this question, so that it is held by nobody afterwards.
 * @param log says what its opening mended
 * @returns undefined: nothing was recorded there
 * @throws LedgerTooNewError where a newer version wrote it
 */
export async function fromLedger<Result>(dataDir: string, log: Log, read: (history: History) => Promise<Result>): Promise<Result | undefined> {
  if (!existsSync(join(dataDir, 'ledger.db'))) return undefined;
  const ledger = openLedger({ dataDir, clock: systemClock, log, instanceId: randomUUID() });
  try {
    return await read(new History({ ledger, shared: ownAlone(ledger), running: { receipt: () => undefined }, costs: { pricedUpToNow: () => Promise.resolve() }, providerMessages: new ProviderMessages() }));
  } finally {
    ledger.shutdown();
  }
}

const ofFolder = 'These are the sums of this data folder alone: no server of it runs, which would ask the ledger that replicas share.';

/** Nothing is read of other replicas: who can reach their ledger is the server. Sums say so where there are any. */
function ownAlone(ledger: Ledger): HistoryOptions['shared'] {
  const marked = <Report extends Pick<SpendReport, 'scope'>>(report: Report): Report => (ledger.journal?.isFollowed() === true ? { ...report, scope: { replicas: 'own', message: ofFolder } } : report);
  return {
    receipt: id => ledger.receipt(id), bill: (range, endpoints, offsetMs) => ledger.bill(range, endpoints, offsetMs),
    spend: async range => marked(await ledger.spend(range)),
    grouped: async (_params, own) => marked(await own()),
  };
}
