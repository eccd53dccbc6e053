import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { processLives } from '../../base/processIdentity.ts';
import type { LimitTransaction, OtherMember, UsedSecond } from '../limitStore.ts';

/** A member whose heartbeat is older is dead, even if a process of its id lives. */
const deadAfterMs = 15_000;
/** A younger heartbeat is not written again, so that idle servers write little. */
const freshMs = 4_000;
/** Tells this process from an earlier one that had its id. */
const startedAt = Math.round(performance.timeOrigin);

/** The statements of the limits database; their caller begins and ends the transaction. */
export class LimitsTransaction implements LimitTransaction {
  static readonly schema = `
    CREATE TABLE members (id TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, started_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, alone INTEGER NOT NULL) STRICT;
    CREATE TABLE running (member TEXT NOT NULL, scope TEXT NOT NULL, requests INTEGER NOT NULL, PRIMARY KEY (scope, member)) STRICT, WITHOUT ROWID;
    CREATE TABLE used (scope TEXT NOT NULL, second INTEGER NOT NULL, requests INTEGER NOT NULL, tokens INTEGER NOT NULL, PRIMARY KEY (scope, second)) STRICT, WITHOUT ROWID;
  `;
  readonly #id: string;
  readonly #host: string;
  readonly #used: StatementSync;
  readonly #seconds: StatementSync;
  readonly #add: StatementSync;
  readonly #elsewhere: StatementSync;
  readonly #setRunning: StatementSync;
  readonly #endRunning: StatementSync;
  readonly #others: StatementSync;
  readonly #alone: StatementSync;
  readonly #self: StatementSync;
  readonly #beat: StatementSync;
  readonly #join: StatementSync;
  readonly #remove: StatementSync;
  readonly #endAllOf: StatementSync;
  readonly #moveBack: StatementSync;
  readonly #forget: StatementSync;
  readonly #endOrphans: StatementSync;

  constructor(database: DatabaseSync, id: string, host: string) {
    this.#id = id;
    this.#host = host;
    const onAdd = 'ON CONFLICT (scope, second) DO UPDATE SET requests = requests + excluded.requests, tokens = tokens + excluded.tokens';
    const member = 'SELECT id, host, pid, started_at, seen_at, alone FROM members WHERE id <> ?';
    this.#used = database.prepare('SELECT total(requests) AS requests, total(tokens) AS tokens FROM used WHERE scope = ? AND second >= ?');
    this.#seconds = database.prepare('SELECT second, requests, tokens FROM used WHERE scope = ? AND second >= ? ORDER BY second');
    this.#add = database.prepare(`INSERT INTO used (scope, second, requests, tokens) VALUES (?, ?, ?, ?) ${onAdd}`);
    this.#elsewhere = database.prepare('SELECT total(requests) AS requests FROM running JOIN members ON members.id = running.member WHERE scope = ? AND member <> ?');
    this.#setRunning = database.prepare('INSERT INTO running (scope, member, requests) VALUES (?, ?, ?) ON CONFLICT (scope, member) DO UPDATE SET requests = excluded.requests');
    this.#endRunning = database.prepare('DELETE FROM running WHERE scope = ? AND member = ?');
    this.#others = database.prepare(member);
    this.#alone = database.prepare(`${member} AND alone = 1`);
    this.#self = database.prepare('SELECT seen_at, alone FROM members WHERE id = ?');
    this.#beat = database.prepare('UPDATE members SET seen_at = ?, alone = ? WHERE id = ?');
    this.#join = database.prepare('INSERT INTO members (id, host, pid, started_at, seen_at, alone) VALUES (?, ?, ?, ?, ?, ?)');
    this.#remove = database.prepare('DELETE FROM members WHERE id = ?');
    this.#endAllOf = database.prepare('DELETE FROM running WHERE member = ?');
    this.#moveBack = database.prepare(`INSERT INTO used (scope, second, requests, tokens) SELECT scope, ?1, sum(requests), sum(tokens) FROM used WHERE second > ?1 GROUP BY scope ${onAdd}`);
    this.#forget = database.prepare('DELETE FROM used WHERE second < ? OR second > ?');
    this.#endOrphans = database.prepare('DELETE FROM running WHERE member NOT IN (SELECT id FROM members)');
  }

  used(scope: string, sinceSecond: number): { requests: number; tokens: number } {
    const row = this.#used.get(scope, sinceSecond);
    return { requests: Number(row?.['requests']), tokens: Number(row?.['tokens']) };
  }

  seconds(scope: string, sinceSecond: number): UsedSecond[] {
    return this.#seconds.all(scope, sinceSecond).map(row => ({ second: Number(row['second']), requests: Number(row['requests']), tokens: Number(row['tokens']) }));
  }

  add(scope: string, second: number, requests: number, tokens: number): void {
    this.#add.run(scope, second, requests, tokens);
  }

  runningElsewhere(scope: string): number {
    return Number(this.#elsewhere.get(scope, this.#id)?.['requests']);
  }

  setRunning(scope: string, running: number): void {
    if (running === 0) this.#endRunning.run(scope, this.#id);
    else this.#setRunning.run(scope, this.#id, running);
  }

  others(now: number): OtherMember[] {
    return this.#members(this.#others, now);
  }

  anotherIsAlone(now: number): boolean {
    return this.#members(this.#alone, now).some(({ alive }) => alive);
  }

  beat(now: number, alone: boolean): boolean {
    const known = this.#self.get(this.#id);
    if (known === undefined) {
      this.#join.run(this.#id, this.#host, process.pid, startedAt, now, Number(alone));
      return false;
    }
    const ageMs = now - Number(known['seen_at']);
    if (known['alone'] !== Number(alone) || ageMs < 0 || ageMs >= freshMs) this.#beat.run(now, Number(alone), this.#id);
    return true;
  }

  remove(id = this.#id): void {
    this.#remove.run(id);
    this.#endAllOf.run(id);
  }

  forget(beforeSecond: number, afterSecond: number): void {
    this.#moveBack.run(afterSecond);
    this.#forget.run(beforeSecond, afterSecond);
    this.#endOrphans.run();
  }

  #members(statement: StatementSync, now: number): OtherMember[] {
    return statement.all(this.#id).map(row => ({ id: String(row['id']), alone: row['alone'] === 1, alive: this.#isAlive(row, now) }));
  }

  /** A clock that was set back leaves heartbeats in the future: then the process table alone decides. */
  #isAlive(row: Record<string, SQLOutputValue>, now: number): boolean {
    const ageMs = now - Number(row['seen_at']);
    if (row['host'] !== this.#host) return Math.abs(ageMs) <= deadAfterMs;
    const pid = Number(row['pid']);
    return ageMs <= deadAfterMs && (pid === process.pid ? row['started_at'] === startedAt : processLives(pid));
  }
}
