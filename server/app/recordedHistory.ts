import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { ProviderMessages } from '../exchange/providerMessages.ts';
import { openLedger } from '../ledger/sqlite/sqliteLedger.ts';
import { History } from '../router/history.ts';

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
    return await read(new History({ ledger, shared: ledger, running: { receipt: () => undefined }, costs: { pricedUpToNow: () => Promise.resolve() }, providerMessages: new ProviderMessages() }));
  } finally {
    ledger.shutdown();
  }
}
