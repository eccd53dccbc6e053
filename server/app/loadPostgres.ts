import type { SharedLedgerOptions, SharedLedgerStore } from '../ledger/sharedLedger.ts';

/** What speaks to PostgreSQL is loaded when the configuration first names a shared ledger. */
export async function loadPostgres(): Promise<(options: SharedLedgerOptions) => SharedLedgerStore> {
  const { openPostgresLedger } = await import('../ledger/postgres/postgresLedger.ts');
  return openPostgresLedger;
}
