import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { silentLog } from '../../../../server/base/log.ts';
import { openPostgresLedger } from '../../../../server/ledger/postgres/postgresLedger.ts';
import { openLedger } from '../../../../server/ledger/sqlite/sqliteLedger.ts';
import type { Ledger } from '../../../../server/ledger/ports.ts';
import { missingEngine, startPostgres } from '../../../support/engines/engines.ts';
import { ledgerContract } from '../ledgerContract.ts';
import { noon } from '../receipts.ts';
import { postgresConfig } from './sharedLedgers.ts';

const missing = missingEngine('postgres');
let url = '';
let count = 0;
const root = mkdtempSync(join(tmpdir(), 'waybill-postgres-'));
after(() => { rmSync(root, { recursive: true, force: true }); });

/** The ledger of a replica: what it has for all replicas is read from PostgreSQL, the rest from its data folder. */
function ofAReplica(): Ledger {
  count += 1;
  const clock = { now: () => noon };
  const local = openLedger({ dataDir: join(root, String(count)), clock, log: silentLog, instanceId: `i-${String(count)}`, isAlive: () => true });
  const shared = openPostgresLedger({ config: postgresConfig(url, { schema: `contract_${String(count)}` }), journal: local.journal ?? assertJournal(), clock, log: silentLog });
  const reads: Pick<Ledger, 'spend' | 'spentBy' | 'bill' | 'receipt' | 'shutdown'> = {
    spend: async (range) => {
      const { scope: _scope, ...report } = await shared.spend(range);
      return report;
    },
    spentBy: (range, scope) => shared.spentBy(range, scope),
    bill: (range, endpoints, offsetMs) => shared.bill(range, endpoints, offsetMs),
    receipt: async id => await shared.receipt(id) ?? await local.receipt(id),
    shutdown: () => {
      local.shutdown();
      void shared.close();
    },
  };
  return new Proxy(local, {
    get: (target, name) => {
      const own: unknown = Reflect.get(name in reads ? reads : target, name);
      return typeof own === 'function' ? own.bind(target) as unknown : own;
    },
  });
}

function assertJournal(): never {
  throw new Error('The ledger in SQLite has no journal.');
}

describe('a ledger that replicas share', { skip: missing }, () => {
  before(async () => { ({ url } = await startPostgres()); });
  ledgerContract('in PostgreSQL', ofAReplica);
});
