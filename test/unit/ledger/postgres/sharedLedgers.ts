import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SpendReport, SpendTotals } from '../../../../server/api/receipt.ts';
import type { Log } from '../../../../server/base/log.ts';
import type { PostgresConfig } from '../../../../server/config/ledger/ledgerConfig.ts';
import { resolveLedger } from '../../../../server/config/ledger/resolveLedger.ts';
import { openPostgresLedger } from '../../../../server/ledger/postgres/postgresLedger.ts';
import { openLedger } from '../../../../server/ledger/sqlite/sqliteLedger.ts';
import type { LedgerJournal } from '../../../../server/ledger/journal.ts';
import type { Ledger } from '../../../../server/ledger/ports.ts';
import type { SharedLedgerStore } from '../../../../server/ledger/sharedLedger.ts';
import { noon } from '../receipts.ts';

/** The configuration of a shared ledger at an address. */
export function postgresConfig(url: string, more: Partial<PostgresConfig> = {}): PostgresConfig {
  const config = resolveLedger({ postgres: '${DATABASE_URL}' }, { DATABASE_URL: url }, (_path, message) => { throw new Error(message); })?.postgres;
  if (config === undefined) throw new Error('There is no shared ledger.');
  return { ...config, name: 'replica', ...more };
}

/** A data folder with its ledger, and what copies it. */
export interface Replica {
  readonly local: Ledger;
  readonly journal: LedgerJournal;
  readonly shared: SharedLedgerStore;
  /** The lines of the log. */
  readonly lines: string[];
  /** Lets time go on by half a minute and more, and the shared ledger do what is due, until something holds. */
  until(holds: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const root = mkdtempSync(join(tmpdir(), 'waybill-postgres-'));
after(() => { rmSync(root, { recursive: true, force: true }); });
let instances = 0;

/** @param folder of its data; one that was used before goes on with what is there */
export function aReplica(url: string, folder: string, more: Partial<PostgresConfig> = {}): Replica {
  instances += 1;
  let now = noon;
  const clock = { now: () => now };
  const lines: string[] = [];
  const note = (level: string) => (line: string): void => { lines.push(`${level}: ${line}`); };
  const log: Log = { debug: () => undefined, info: note('info'), warn: note('warn'), error: note('error') };
  const local = openLedger({ dataDir: join(root, folder), clock, log, instanceId: `i-${String(instances)}`, isAlive: () => true });
  const { journal } = local;
  if (journal === undefined) throw new Error('The ledger in SQLite has no journal.');
  const shared = openPostgresLedger({ config: postgresConfig(url, { name: folder, ...more }), journal, clock, log });
  return {
    local, journal, shared, lines,
    async until(holds) {
      while (!holds()) {
        now += 31_000;
        shared.tick();
        await sleep(20);
      }
    },
    async close() {
      await shared.close();
      local.shutdown();
    },
  };
}

/** What people compare of a report. */
export function figuresOf({ totals, byEndpoint, byModel, byTool, byWorkspace, byDay, cached }: SpendReport): unknown {
  const of = ({ microUsd, estimatedMicroUsd, unknownAttempts, exchanges, usage }: SpendTotals): unknown[] => [microUsd, estimatedMicroUsd, unknownAttempts, exchanges, usage];
  return {
    totals: of(totals), cached, groups: [byEndpoint, byModel, byTool, byWorkspace].map(groups => groups.map(group => [group.name, ...of(group)])),
    days: byDay.map(({ day, microUsd, exchanges, unknownAttempts }) => [day, microUsd, exchanges, unknownAttempts]),
  };
}
