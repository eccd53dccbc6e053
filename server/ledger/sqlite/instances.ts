import { hostname, uptime } from 'node:os';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../base/clock.ts';
import type { Guard } from '../../base/guarded.ts';
import type { Log } from '../../base/log.ts';
import { processIdentity, processLives, type ProcessIdentity } from '../../base/processIdentity.ts';
import { allRows, readable } from './readRows.ts';
import { UnreadableRowError, type Row } from '../rows/rowValues.ts';

/** A process writes a heartbeat at most this often, and this often while an exchange of its has an open row. */
export const heartbeatMs = 5_000;
/** A process that cannot be looked up from here, and whose last heartbeat is older, is taken for dead. */
const staleAfterMs = 15_000;
/** The same for one whose id lives but whose start is not known: the machine may just have woken from sleep. */
const staleLivingMs = 60_000;
/** Slack for clocks when a moment is compared with the start of the machine or of this process. */
const slackMs = 2_000;

export interface InstanceRow extends Partial<ProcessIdentity> { id: string; host: string; pid: number; startedAt: number; heartbeat: number }

/** Whether the process behind a row still lives. */
export type IsAlive = (row: InstanceRow, now: number) => boolean;

/**
 * Where the process table can be asked, it decides: a process is the one of the row when its id lives and it began when
 * the row says so, since ids come back, in containers at each start. Processes of other machines, of containers with ids
 * of their own, and of a boot before this one are judged by their heartbeat. So are those whose start is not known.
 */
export const isAliveHere: IsAlive = (row, now) => {
  const fresh = now - row.heartbeat <= staleAfterMs;
  if (row.host !== hostname()) return fresh;
  const own = row.space === undefined ? undefined : processIdentity(process.pid);
  if (own !== undefined) return row.space === own.space ? processIdentity(row.pid)?.start === row.start : fresh;
  if (row.heartbeat < now - uptime() * 1000 - slackMs) return false;
  if (row.pid === process.pid) return row.startedAt >= now - process.uptime() * 1000 - slackMs;
  return processLives(row.pid) && now - row.heartbeat <= staleLivingMs;
};

/** The processes that write to this ledger, and what happens to the exchanges of dead ones. */
export class Instances {
  readonly #database: DatabaseSync;
  readonly #instanceId: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #isAlive: IsAlive;
  readonly #unreadable: Guard;
  readonly #peersWithOpen: StatementSync;
  #registered = false;

  constructor(database: DatabaseSync, instanceId: string, clock: Clock, log: Log, isAlive: IsAlive, unreadable: Guard) {
    this.#database = database;
    this.#instanceId = instanceId;
    this.#clock = clock;
    this.#log = log;
    this.#isAlive = isAlive;
    this.#unreadable = unreadable;
    this.#peersWithOpen = database.prepare(`SELECT DISTINCT instance FROM exchanges WHERE outcome = 'open' AND instance <> ?`);
  }

  /** Registers this process, once, within a transaction of the caller, which reports a rollback. */
  register(): void {
    if (this.#registered) return;
    const now = this.#clock.now();
    const { space, start } = processIdentity(process.pid) ?? {};
    this.#database.prepare('INSERT OR REPLACE INTO instances (id, host, pid, started_at, heartbeat, space, start) VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(this.#instanceId, hostname(), process.pid, now, now, space ?? null, start ?? null);
    this.#registered = true;
  }

  /** The transaction that entered this process was rolled back. */
  rolledBack(wasRegistered: boolean): void {
    this.#registered = wasRegistered;
  }

  get registered(): boolean {
    return this.#registered;
  }

  /** Takes this process out; for a proper end. */
  leave(): void {
    this.#database.prepare('DELETE FROM instances WHERE id = ?').run(this.#instanceId);
  }

  /**
   * Exchanges that dead processes left open become `interrupted`, their running attempts too: the usage so far
   * stays, its cost becomes an estimate. Does nothing, cheaply, when no other process has an open exchange.
   */
  settleDead(): void {
    const suspects = this.#peersWithOpen.all(this.#instanceId).map((row) => String(row['instance']));
    if (suspects.length === 0) return;
    const now = this.#clock.now();
    const rows = allRows(this.#database.prepare('SELECT id, host, pid, started_at, heartbeat, space, start FROM instances'));
    const alive = new Set<string>();
    for (const known of readable(rows, instanceFromRow, this.#unreadable)) if (this.#isAlive(known, now)) alive.add(known.id);
    const dead = suspects.filter((id) => !alive.has(id));
    if (dead.length > 0) this.#interrupt(dead);
  }

  #interrupt(dead: readonly string[]): void {
    const openOf = this.#database.prepare(`SELECT seq FROM exchanges WHERE outcome = 'open' AND instance = ?`);
    const runningOf = this.#database.prepare('SELECT seq FROM attempts WHERE exchange_seq = ? AND final = 0');
    // A final row has a new seq, so that roll-ups and peers, which read on by seq, meet it.
    const endAttempt = this.#database.prepare(`UPDATE attempts SET seq = (SELECT max(seq) + 1 FROM attempts), final = 1, outcome = 'interrupted',
      usage_estimated = 1, cost_certainty = CASE cost_certainty WHEN 'exact' THEN 'estimated' ELSE cost_certainty END,
      message = coalesce(message, 'The server process ended while this attempt ran.') WHERE seq = ?`);
    const markLast = this.#database.prepare(`UPDATE attempts SET last = 1 WHERE exchange_seq = ?1 AND final = 1
      AND number = (SELECT max(number) FROM attempts WHERE exchange_seq = ?1) AND EXISTS (SELECT 1 FROM exchanges WHERE seq = ?1 AND shadow IS NULL)`);
    const endExchange = this.#database.prepare(`UPDATE exchanges SET outcome = 'interrupted',
      message = coalesce(message, 'The server process ended while this exchange ran.') WHERE seq = ?`);
    const addFinished = this.#database.prepare(`UPDATE counters SET value = value + ? WHERE name = 'finished'`);
    const forget = this.#database.prepare('DELETE FROM instances WHERE id = ?');
    let count = 0;
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const id of dead) {
        for (const exchange of openOf.all(id)) {
          const exchangeSeq = Number(exchange['seq']);
          for (const attempt of runningOf.all(exchangeSeq)) endAttempt.run(Number(attempt['seq']));
          markLast.run(exchangeSeq);
          endExchange.run(exchangeSeq);
          count += 1;
        }
        forget.run(id);
      }
      addFinished.run(count);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    this.#log.warn(`${count} ${count === 1 ? 'exchange was' : 'exchanges were'} left open by a server process that ended; marked as interrupted.`);
  }
}

/** @throws UnreadableRowError */
export function instanceFromRow(row: Row): InstanceRow {
  const { id, host, pid, started_at: startedAt, heartbeat, space, start } = row;
  if (typeof id !== 'string' || typeof host !== 'string' || typeof pid !== 'number' || typeof startedAt !== 'number' || typeof heartbeat !== 'number') {
    throw new UnreadableRowError('process');
  }
  const instance: InstanceRow = { id, host, pid, startedAt, heartbeat };
  return typeof space === 'string' && typeof start === 'string' ? { ...instance, space, start } : instance;
}
