import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { AllowedNames } from '../../../api/access/tokenAccess.ts';
import type { Clock } from '../../../base/clock.ts';
import { isObject, parseJson } from '../../../base/json.ts';
import type { Log } from '../../../base/log.ts';
import type { StoredToken, TokenChange, TokenStore } from '../../tokenStore.ts';
import { atomically, OnDemandDatabase } from '../onDemand/onDemandDatabase.ts';

export interface TokenStoreOptions { dataDir: string; clock: Clock; log: Log }

const accessFolder = 'access';
const fileName = 'tokens.db';
/** How long a statement may hold the event loop while another server writes. */
const busyTimeoutMs = 200;

/**
 * Tokens and what they may do, in a database of their own, `access/tokens.db` in the data folder, made with the first token. What
 * is committed survives the death of the process. A damaged file is moved aside, and its tokens are refused from then on.
 */
export function createTokenStore(options: TokenStoreOptions): TokenStore {
  return new TokenDatabase(options);
}

class TokenDatabase implements TokenStore {
  readonly #database: OnDemandDatabase<Statements>;
  readonly #file: string;
  /** What `data_version` was when the file was read last; undefined: it was not since it was opened, or this server has written since. */
  #seen: number | 'none' | undefined;

  constructor({ dataDir, clock, log }: TokenStoreOptions) {
    const folder = join(dataDir, accessFolder);
    this.#file = join(folder, fileName);
    this.#database = new OnDemandDatabase({
      folder, name: fileName, busyTimeoutMs, disposable: false, clock, log,
      prepare: database => {
        // The version of another opening says nothing of this one.
        this.#seen = undefined;
        return new Statements(database);
      },
      complaint: file => `Tokens cannot be read from ${file} now; those that are known stay as they are. The file is tried again every second.`,
    });
  }

  poll(): readonly StoredToken[] | undefined {
    if (this.#database.replaced) this.#database.close();
    if (statSync(this.#file, { throwIfNoEntry: false }) === undefined) {
      if (this.#seen === 'none') return undefined;
      this.#seen = 'none';
      return [];
    }
    const outcome = this.#database.use(statements => {
      const version = statements.version();
      return this.#seen === version ? undefined : { version, tokens: statements.all() };
    });
    if (!outcome.done || outcome.value === undefined) return undefined;
    this.#seen = outcome.value.version;
    return outcome.value.tokens;
  }

  change(work: (all: readonly StoredToken[]) => TokenChange): TokenChange {
    if (this.#database.replaced) this.#database.close();
    const outcome = this.#database.use((statements, database) => atomically(database, () => {
      const change = work(statements.all());
      if ('saved' in change) statements.save(change.saved);
      return change;
    }));
    if (!outcome.done) return { refused: outcome.busy ? 'Another server changes tokens at this moment: try again.' : 'The file of tokens cannot be used now; the log says why. Try again.' };
    this.#seen = undefined;
    return outcome.value;
  }

  close(): void {
    this.#database.close();
  }
}

class Statements {
  readonly #version: StatementSync;
  readonly #all: StatementSync;
  readonly #save: StatementSync;

  constructor(database: DatabaseSync) {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    database.exec(`
      /* A token is kept as the SHA-256 of its text. \`settings\` is JSON: routes, models, budgets and limits. Moments are milliseconds since the epoch. */
      CREATE TABLE IF NOT EXISTS tokens (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, user TEXT, team TEXT, settings TEXT NOT NULL,
        hash TEXT, previous_hash TEXT, previous_until INTEGER, created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER
      ) STRICT, WITHOUT ROWID;
    `);
    this.#version = database.prepare('PRAGMA data_version');
    this.#all = database.prepare('SELECT * FROM tokens ORDER BY created_at, id');
    this.#save = database.prepare(`INSERT OR REPLACE INTO tokens (id, kind, name, user, team, settings, hash, previous_hash, previous_until, created_at, expires_at, revoked_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  }

  version(): number {
    return Number(this.#version.get()?.['data_version']);
  }

  all(): StoredToken[] {
    return this.#all.all().map(tokenFromRow);
  }

  save({ id, kind, name, user, team, hash, previousHash, previousUntil, createdAt, expiresAt, revokedAt, ...settings }: StoredToken): void {
    this.#save.run(
      id, kind, name, user ?? null, team ?? null, JSON.stringify(settings), hash ?? null, previousHash ?? null, previousUntil ?? null, createdAt, expiresAt ?? null, revokedAt ?? null,
    );
  }
}

function tokenFromRow(row: Readonly<Record<string, unknown>>): StoredToken {
  const text = (name: string): string | undefined => (typeof row[name] === 'string' ? row[name] : undefined);
  const moment = (name: string): number | undefined => (typeof row[name] === 'number' ? row[name] : undefined);
  const parsed = parseJson(text('settings') ?? '');
  const settings = isObject(parsed) ? parsed : {};
  const amount = (name: string): number | undefined => (typeof settings[name] === 'number' ? settings[name] : undefined);
  return {
    id: String(row['id']), kind: row['kind'] === 'tool' ? 'tool' : 'made', name: String(row['name']), user: text('user'), team: text('team'),
    routes: namesOf(settings['routes']), models: namesOf(settings['models']),
    dayMicroUsd: amount('dayMicroUsd'), monthMicroUsd: amount('monthMicroUsd'), requestsPerMinute: amount('requestsPerMinute'), tokensPerMinute: amount('tokensPerMinute'), concurrency: amount('concurrency'),
    hash: text('hash'), previousHash: text('previous_hash'), previousUntil: moment('previous_until'), createdAt: moment('created_at') ?? 0, expiresAt: moment('expires_at'), revokedAt: moment('revoked_at'),
  };
}

/** What cannot be read allows nothing. */
function namesOf(value: unknown): AllowedNames {
  return value === 'all' ? 'all' : Array.isArray(value) ? value.filter(name => typeof name === 'string') : [];
}
