import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { PostgresConfig } from '../../config/ledger/ledgerConfig.ts';
import { LedgerUnavailableError } from '../ledgerUnavailable.ts';
import { Places } from './places.ts';

/** How long a connection may take, in milliseconds. */
const connectTimeoutMs = 3_000;
/** How long the server may work on a statement that writes, and on one of a report. */
const statementTimeoutMs = 10_000;
const reportTimeoutMs = 20_000;
const lockTimeoutMs = 2_000;
/** How long a report waits until others give a connection back. */
const placeTimeoutMs = 5_000;
/** So much longer an answer is waited for, which a network that is cut never brings. */
const answerGraceMs = 2_000;
const idleMs = 30_000;

/** The shared ledger cannot be read or written now. `message` is one sentence without a secret. */
export class SharedLedgerError extends LedgerUnavailableError {
  /** The connection is at fault, and not what was asked. */
  readonly away: boolean;

  constructor(message: string, away: boolean) {
    super(message);
    this.name = 'SharedLedgerError';
    this.away = away;
  }
}

export type Values = readonly (string | number | boolean | null | readonly (string | number)[])[];
export type Row = Record<string, string | number | null>;

/** Statements of one transaction. */
export interface Transaction {
  all(sql: string, values?: Values): Promise<Row[]>;
}

type Mode = 'write' | 'report';

/** The connections of this server to PostgreSQL. Every statement runs in a transaction whose bounds are set in it, so that a pooler between may share connections. */
export class Connections {
  readonly #config: PostgresConfig;
  /** One connection is left to what is written. */
  readonly #reports: Places;
  #pool: pg.Pool | undefined;

  constructor(config: PostgresConfig) {
    this.#config = config;
    this.#reports = new Places(Math.max(1, config.connections - 1));
  }

  /**
   * Runs a transaction. Reports have all connections but one, and those beyond wait for a bounded time.
   * @throws SharedLedgerError, or what `work` throws of its own
   */
  async run<Result>(mode: Mode, work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    if (mode === 'write') return this.#run(mode, work);
    if (!await this.#reports.enter(placeTimeoutMs)) {
      const { host, port } = this.#config;
      throw new SharedLedgerError(`Other reports keep the connections to PostgreSQL at ${host}:${port} busy; try again in a moment, or raise "ledger.postgres.connections".`, false);
    }
    try {
      return await this.#run(mode, work);
    } finally {
      this.#reports.leave();
    }
  }

  async #run<Result>(mode: Mode, work: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    const client = await this.#connect();
    const timeoutMs = mode === 'write' ? statementTimeoutMs : reportTimeoutMs;
    const transaction: Transaction = {
      all: async (sql, values = []) => {
        try {
          return (await client.query<Row>({ text: sql, values: [...values], query_timeout: timeoutMs + answerGraceMs } as pg.QueryConfig)).rows;
        } catch (error) {
          throw sharedLedgerError(error, this.#config, mode);
        }
      },
    };
    let broken: Error | undefined;
    try {
      await transaction.all(mode === 'write' ? 'BEGIN ISOLATION LEVEL READ COMMITTED' : 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await transaction.all(`SELECT set_config('statement_timeout', '${timeoutMs}', true), set_config('lock_timeout', '${lockTimeoutMs}', true), set_config('idle_in_transaction_session_timeout', '${statementTimeoutMs}', true), set_config('jit', 'off', true)`);
      const result = await work(transaction);
      await transaction.all('COMMIT');
      return result;
    } catch (error) {
      if (error instanceof SharedLedgerError && error.away) broken = error;
      else await transaction.all('ROLLBACK').catch((failure: unknown) => { broken = failure instanceof Error ? failure : new Error(String(failure)); });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** Closes what is idle, and breaks off what is not. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.end().catch(() => undefined);
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      this.#pool ??= this.#made();
      return await this.#pool.connect();
    } catch (error) {
      throw sharedLedgerError(error, this.#config, undefined);
    }
  }

  #made(): pg.Pool {
    const { host, port, database, user, password, tls, connections } = this.#config;
    const pool = new pg.Pool({
      host, port, database, max: connections, connectionTimeoutMillis: connectTimeoutMs, idleTimeoutMillis: idleMs, keepAlive: true, allowExitOnIdle: true,
      application_name: 'waybill', types: { getTypeParser }, ssl: tls === undefined ? false : { rejectUnauthorized: true, ...(tls.caFile === undefined ? {} : { ca: caOf(tls.caFile) }) },
      ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }),
    });
    // A connection that breaks while it idles is replaced when the next one is needed; one that is used fails its statement, too.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => { client.on('error', () => undefined); });
    return pool;
  }
}

/** @throws SharedLedgerError in one sentence */
function caOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SharedLedgerError(`The file of certificate authorities ${file} of the shared ledger cannot be read (${codeOf(error) ?? 'unknown reason'}); correct "ledger.postgres.caFile".`, true);
  }
}

/** 64-bit integers are figures that a number holds exactly. */
const bigintId = 20;
const getTypeParser = ((id: number, format?: 'text' | 'binary') => (id === bigintId ? Number : pg.types.getTypeParser(id, format as 'text'))) as typeof pg.types.getTypeParser;

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Classes of PostgreSQL's codes in which the server, or what is between, is at fault: connection, resources, operator. */
const awayClasses = new Set(['08', '53', '57', '58', 'XX']);
const wrongData = new Set(['22', '23']);

/** The values themselves are at fault, so that another try changes nothing. */
export function isWrongData(error: unknown): boolean {
  return error instanceof SharedLedgerError && error.cause !== undefined && wrongData.has(codeOf(error.cause)?.slice(0, 2) ?? '');
}

/** It took too long, or was in the way of another transaction: the server is there, and the same may succeed later. */
const slowCodes = new Set(['57014', '55P03', '40001', '40P01']);

/** PostgreSQL is there and did not manage it now. */
export function isSlow(error: unknown): boolean {
  return error instanceof SharedLedgerError && !error.away && error.cause !== undefined && slowCodes.has(codeOf(error.cause) ?? '');
}

/** What went wrong, in one sentence without a secret. @param mode of what was asked; undefined: nothing was asked yet */
function sharedLedgerError(error: unknown, { host, port, database, schema, user }: PostgresConfig, mode: Mode | undefined): SharedLedgerError {
  if (error instanceof SharedLedgerError) return error;
  const code = codeOf(error);
  const place = `PostgreSQL at ${host}:${port}`;
  const made = (message: string, away: boolean): SharedLedgerError => {
    const told = new SharedLedgerError(message, away);
    told.cause = error;
    return told;
  };
  switch (code) {
    case 'ECONNREFUSED': return made(`Nothing answers at ${host}:${port}; see that PostgreSQL runs there.`, true);
    case 'ENOTFOUND':
    case 'EAI_AGAIN': return made(`The host ${host} of the shared ledger is not known; correct its address.`, true);
    case '28P01':
    case '28000': return made(`${place} refuses the login${user === undefined ? '' : ` of "${user}"`}; correct the user and the password in the variable that "ledger.postgres" names.`, true);
    case '3D000': return made(`${place} has no database "${database}"; create it, or correct its name.`, true);
    case '42501': return made(`The user may not create or use the schema "${schema}" in "${database}" at ${place}; grant it, as docs/postgres.md says.`, true);
    case '53300': return made(`${place} takes no more connections now.`, true);
    case '57014': return made(mode === 'report' ? `${place} took longer than ${reportTimeoutMs / 1000} s for this report; ask for a shorter time.` : `${place} took longer than ${statementTimeoutMs / 1000} s for a statement.`, false);
    case '55P03': return made(`${place}: another session held a lock for too long.`, false);
    case undefined: break;
    default: if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(code)) return made(`The certificate of ${place} is not trusted (${code}); name its authority in "ledger.postgres.caFile".`, true);
  }
  const text = error instanceof Error ? error.message : String(error);
  if (/does not support SSL/.test(text)) return made(`${place} does not speak TLS; switch it on there, or set "ledger.postgres.tls" to false for a network that you trust.`, true);
  if (/timeout|terminated|not queryable|Connection ended/i.test(text)) return made(`${place} does not answer.`, true);
  const away = mode === undefined || code === undefined || awayClasses.has(code.slice(0, 2)) || code.startsWith('E');
  return made(`${place} failed${code === undefined ? '' : ` with ${code}`}: ${text.replaceAll(/\s+/g, ' ').slice(0, 200)}`, away);
}
