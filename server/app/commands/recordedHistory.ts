import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { createLog, SecretRegister } from '../../base/secrets/redact.ts';
import { ProviderMessages } from '../../exchange/providerMessages.ts';
import { openLedger } from '../../ledger/sqlite/sqliteLedger.ts';
import { History } from '../../router/history.ts';

/**
 * Reads the ledger of a data folder, while no server of the folder runs.
 * @returns undefined: nothing was recorded there
 * @throws LedgerTooNewError where a newer version wrote it
 */
export async function fromLedger<Result>(dataDir: string, read: (history: History) => Promise<Result>): Promise<Result | undefined> {
  if (!existsSync(join(dataDir, 'ledger.db'))) return undefined;
  const log = createLog((level, line) => {
    if (level === 'warn' || level === 'error') process.stderr.write(`${level}: ${line}\n`);
  }, new SecretRegister());
  const ledger = openLedger({ dataDir, clock: systemClock, log, instanceId: randomUUID() });
  try {
    return await read(new History({ ledger, shared: ledger, running: { receipt: () => undefined }, costs: { pricedUpToNow: () => Promise.resolve() }, providerMessages: new ProviderMessages() }));
  } finally {
    ledger.shutdown();
  }
}
