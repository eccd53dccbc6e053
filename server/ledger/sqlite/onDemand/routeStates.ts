import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type { RouteStateOutcome, RouteStateStore } from '../../routeStateStore.ts';
import { atomically, OnDemandDatabase } from './onDemandDatabase.ts';

export interface RouteStatesOptions { dataDir: string; clock: Clock; log: Log }

/** @property table which holds the states */
interface KeptStates { readonly folder: string; readonly table: string; readonly complaint: (file: string) => string }

/** How long a statement may hold the event loop while another server writes. */
const busyTimeoutMs = 20;

interface Statements {
  readonly version: StatementSync;
  readonly one: StatementSync;
  readonly all: StatementSync;
  readonly put: StatementSync;
}

/**
 * The states of canaries in a database of their own, `canary/state.db` in the data folder, opened when it is first
 * needed. What is committed survives the death of the process. A damaged file is moved aside, and every canary then
 * counts as not started, which sends all requests to the route's own targets.
 */
export function createCanaryStore(options: RouteStatesOptions): RouteStateStore {
  return new RouteStates(options, {
    folder: 'canary', table: 'canaries',
    complaint: file => `The states of canaries cannot be kept in ${file} now; each server goes on with what it knows. The file is begun anew or tried again every second.`,
  });
}

/** The same for shadows, in `shadow/state.db`. Where the file is damaged, every shadow counts as not started, and nothing is mirrored. */
export function createShadowStore(options: RouteStatesOptions): RouteStateStore {
  return new RouteStates(options, {
    folder: 'shadow', table: 'shadows',
    complaint: file => `The states of shadows cannot be kept in ${file} now; each server goes on with what it knows. The file is begun anew or tried again every second.`,
  });
}

class RouteStates implements RouteStateStore {
  readonly #clock: Clock;
  readonly #database: OnDemandDatabase<Statements>;
  /** What `data_version` was at the last poll; other connections change it. */
  #seen: number | undefined;

  constructor({ dataDir, clock, log }: RouteStatesOptions, { folder, table, complaint }: KeptStates) {
    this.#clock = clock;
    this.#database = new OnDemandDatabase({
      folder: join(dataDir, folder), name: 'state.db', busyTimeoutMs, disposable: false, clock, log, complaint,
      prepare: database => {
        this.#seen = undefined;
        return statementsOf(database, table);
      },
    });
  }

  update(route: string, change: (stored: string | undefined) => string | undefined): RouteStateOutcome {
    let thrown: { cause: unknown } | undefined;
    const outcome = this.#database.use(({ one, put }, database) => atomically(database, () => {
      const stored = one.get(route)?.['state'];
      let next: string | undefined;
      try {
        next = change(typeof stored === 'string' ? stored : undefined);
      } catch (cause) {
        thrown = { cause };
      }
      if (next !== undefined) put.run(route, next, this.#clock.now());
    }));
    if (thrown !== undefined) throw thrown.cause;
    return outcome;
  }

  poll(): ReadonlyMap<string, string> | undefined {
    const outcome = this.#database.use(({ all, version }) => {
      if (this.#database.replaced) {
        this.close();
        return new Map<string, string>();
      }
      const now = Number(version.get()?.['data_version']);
      if (now === this.#seen) return undefined;
      const found = new Map(all.all().map(row => [String(row['route']), String(row['state'])]));
      this.#seen = now;
      return found;
    });
    return outcome.done ? outcome.value : undefined;
  }

  close(): void {
    this.#database.close();
  }
}

function statementsOf(database: DatabaseSync, table: string): Statements {
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec(`CREATE TABLE IF NOT EXISTS ${table} (route TEXT PRIMARY KEY, state TEXT NOT NULL, changed_at INTEGER NOT NULL) STRICT`);
  return {
    version: database.prepare('PRAGMA data_version'),
    one: database.prepare(`SELECT state FROM ${table} WHERE route = ?`),
    all: database.prepare(`SELECT route, state FROM ${table}`),
    put: database.prepare(`INSERT INTO ${table} (route, state, changed_at) VALUES (?, ?, ?) ON CONFLICT (route) DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at`),
  };
}
