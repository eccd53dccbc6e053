import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Attempt, Cost, PriceUsed, Receipt } from '../../api/receipt.ts';
import { storedFigure } from '../../pricing/money.ts';
import type { PeerNote } from '../peerNotes.ts';
import type { HealthEvent } from '../ports.ts';
import { attemptColumnNames, attemptValues } from '../rows/attemptColumns.ts';
import type { ColumnValue } from '../rows/rowValues.ts';
import type { Instances } from './instances.ts';
import type { PeerNotes } from './peerNotes.ts';

const costColumns = (table: string): string => ['cost_micro_usd', 'cost_certainty', 'price_source', 'price_used', 'cost_unpriced', 'price_as_of'].map((name) => `${table}.${name}`).join(', ');

/** What one transaction writes. */
export interface Batch {
  /** One of each exchange; `open` ones are written as they stand. */
  receipts: { values(): Iterable<Receipt> };
  health: readonly HealthEvent[];
  /** By what they are about. */
  notes: ReadonlyMap<string, PeerNote>;
}

interface Written {
  seq: number;
  /** It had ended before this batch. */
  hadEnded: boolean;
  /** The row of an attempt was final before this batch, and has another price now. */
  repriced: boolean;
}

/** An exchange of this process with an `open` row. */
interface OpenRow {
  seq: number;
  /** The numbers of its attempts whose rows are final. */
  final: ReadonlySet<number>;
}

/**
 * Writes receipts and health events, many in one transaction. The usual exchange ends before its first commit
 * and costs one exchange row and its attempt rows; one that was written while it ran is found again by id.
 */
export class BatchWriter {
  readonly #instanceId: string;
  readonly #notes: PeerNotes;
  /** By id. Changed only by committed transactions. */
  readonly #openRows = new Map<string, OpenRow>();
  /** The parameters of an insert of an attempt, used again for each. */
  readonly #attemptValues: ColumnValue[] = [];
  readonly #priceTexts = new WeakMap<PriceUsed, string>();
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #insertExchange: StatementSync;
  readonly #findExchange: StatementSync;
  readonly #updateExchange: StatementSync;
  readonly #deleteRunning: StatementSync;
  readonly #insertAttempt: StatementSync;
  readonly #markLast: StatementSync;
  readonly #insertHealth: StatementSync;
  readonly #addFinished: StatementSync;
  readonly #addRepriced: StatementSync;
  readonly #beat: StatementSync;
  readonly #database: DatabaseSync;

  readonly #instances: Instances;
  readonly #verify: () => void;

  /** @param verify throws when the file is no longer the one to write to; called under the write lock */
  constructor(database: DatabaseSync, instanceId: string, notes: PeerNotes, instances: Instances, verify: () => void) {
    this.#database = database;
    this.#instanceId = instanceId;
    this.#notes = notes;
    this.#instances = instances;
    this.#verify = verify;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#insertExchange = database.prepare(`INSERT INTO exchanges (id, instance, face, protocol, stream, tool, workspace, conversation, purpose,
      wanted, route, started_at, first_token_ms, total_ms, outcome, failure_class, message, target, plan, branch, extension, work_kind, features, shadow, cache, cache_facts, saved_micro_usd, token, user, team, title)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`);
    this.#findExchange = database.prepare('SELECT seq, outcome FROM exchanges WHERE id = ?');
    this.#updateExchange = database.prepare(`UPDATE exchanges SET purpose = ?, work_kind = ?, route = ?, first_token_ms = ?, total_ms = ?, outcome = ?, failure_class = ?, message = ?,
      target = ?, plan = ?, features = coalesce(?, features), cache = ?, cache_facts = ?, saved_micro_usd = ? WHERE seq = ?`);
    this.#deleteRunning = database.prepare('DELETE FROM attempts WHERE exchange_seq = ? AND final = 0');
    // A record that was final before its price was known gets the price later, one of an open exchange also in place of an estimate. Nothing else changes.
    const attemptColumns = ['exchange_seq', 'final', 'last', ...attemptColumnNames];
    this.#insertAttempt = database.prepare(`INSERT INTO attempts (${attemptColumns.join(', ')}) VALUES (${attemptColumns.map(() => '?').join(', ')})
      ON CONFLICT (exchange_seq, number) DO UPDATE SET cost_micro_usd = excluded.cost_micro_usd, cost_certainty = excluded.cost_certainty,
        price_source = excluded.price_source, price_used = excluded.price_used, cost_unpriced = excluded.cost_unpriced, price_as_of = excluded.price_as_of
        WHERE excluded.cost_certainty <> 'unknown' AND (attempts.cost_certainty = 'unknown'
          OR (attempts.cost_certainty = 'estimated' AND (${costColumns('attempts')}) IS NOT (${costColumns('excluded')})
            AND EXISTS (SELECT 1 FROM exchanges e WHERE e.seq = attempts.exchange_seq AND e.outcome = 'open')))`);
    this.#markLast = database.prepare(`UPDATE attempts SET last = 1 WHERE exchange_seq = ?1 AND number = ?2 AND last = 0 AND EXISTS (SELECT 1 FROM exchanges WHERE seq = ?1 AND outcome = 'open')`);
    this.#insertHealth = database.prepare(`INSERT INTO health_events (instance, endpoint, at, ok, kind, failure_class, message, latency_ms)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#addFinished = database.prepare(`UPDATE counters SET value = value + ? WHERE name = 'finished'`);
    this.#addRepriced = database.prepare(`UPDATE counters SET value = value + ? WHERE name = 'repriced'`);
    this.#beat = database.prepare('UPDATE instances SET heartbeat = ? WHERE id = ?');
  }

  /** How many exchanges of this process have a row that says they run. */
  get openRows(): number {
    return this.#openRows.size;
  }

  /**
   * Commits the batch or, when it throws, nothing of it.
   * @param heartbeat the moment to write as this process's heartbeat; absent: none is due
   */
  write(batch: Batch, heartbeat: number | undefined): void {
    this.#begin.run();
    const opened = new Map<string, OpenRow>();
    const closed: string[] = [];
    const { registered } = this.#instances;
    try {
      this.#verify();
      this.#instances.register();
      let finished = 0;
      let repriced = 0;
      for (const receipt of batch.receipts.values()) {
        const open = receipt.outcome === 'open';
        const known = this.#openRows.get(receipt.id);
        const written = known === undefined ? this.#insert(receipt) : this.#rewrite(receipt, known.seq, known.final);
        if (written.repriced) repriced += 1;
        if (open) {
          if (!written.hadEnded) opened.set(receipt.id, { seq: written.seq, final: finalNumbers(receipt) });
        } else {
          if (!written.hadEnded) finished += 1;
          if (known !== undefined) closed.push(receipt.id);
        }
      }
      for (const event of batch.health) {
        this.#insertHealth.run(this.#instanceId, event.endpoint, Math.round(event.at), event.ok ? 1 : 0, event.kind,
          event.failureClass ?? null, event.message ?? null, event.latencyMs ?? null);
      }
      for (const note of batch.notes.values()) this.#notes.write(note);
      if (finished > 0) this.#addFinished.run(finished);
      if (repriced > 0) this.#addRepriced.run(repriced);
      if (heartbeat !== undefined) this.#beat.run(heartbeat, this.#instanceId);
      this.#commit.run();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      this.#instances.rolledBack(registered);
      throw error;
    }
    for (const [id, row] of opened) this.#openRows.set(id, row);
    for (const id of closed) this.#openRows.delete(id);
  }

  #insert(receipt: Receipt): Written {
    const { caller } = receipt;
    const result = this.#insertExchange.run(receipt.id, this.#instanceId, receipt.inbound, receipt.protocol, receipt.stream ? 1 : 0, caller.tool,
      caller.workspace ?? null, caller.conversation ?? null, caller.purpose ?? null, receipt.plan.requestedModel, receipt.plan.route ?? null, Math.round(receipt.startedAt),
      receipt.firstTokenMs ?? null, receipt.totalMs, receipt.outcome, receipt.failureClass ?? null, receipt.message ?? null,
      receipt.target ?? null, JSON.stringify(receipt.plan), caller.branch ?? null, caller.extension ?? null, receipt.plan.purpose?.kind ?? null, receipt.features ?? null, receipt.shadow === undefined ? null : JSON.stringify(receipt.shadow), ...cacheValues(receipt),
      caller.token ?? null, caller.user ?? null, caller.team ?? null, receipt.title ?? null);
    if (result.changes === 0) {
      // Handed in once more after it had ended: the later receipt counts.
      const row = this.#findExchange.get(receipt.id);
      return this.#rewrite(receipt, Number(row?.['seq']), row?.['outcome'] === 'open' ? noNumbers : undefined);
    }
    const seq = Number(result.lastInsertRowid);
    this.#writeAttempts(seq, receipt);
    return { seq, hadEnded: false, repriced: false };
  }

  /** @param final the numbers of attempts whose rows are final; undefined: it had ended, and all are */
  #rewrite(receipt: Receipt, seq: number, final: ReadonlySet<number> | undefined): Written {
    const hadEnded = final === undefined;
    if (hadEnded && receipt.outcome === 'open') return { seq, hadEnded, repriced: false };
    this.#deleteRunning.run(seq);
    const repriced = this.#writeAttempts(seq, receipt, final);
    // An attempt that was final while its exchange ran may turn out to be the last one.
    const last = receipt.attempts.at(-1);
    if (last !== undefined && countsRequest(receipt)) this.#markLast.run(seq, last.number);
    // After its attempts: what may change in them depends on whether it was open.
    this.#updateExchange.run(receipt.caller.purpose ?? null, receipt.plan.purpose?.kind ?? null, receipt.plan.route ?? null, receipt.firstTokenMs ?? null, receipt.totalMs, receipt.outcome, receipt.failureClass ?? null,
      receipt.message ?? null, receipt.target ?? null, JSON.stringify(receipt.plan), receipt.features ?? null, ...cacheValues(receipt), seq);
    return { seq, hadEnded, repriced: hadEnded || repriced };
  }

  /** @returns whether an attempt of `final` got another price */
  #writeAttempts(exchangeSeq: number, receipt: Receipt, final: ReadonlySet<number> = noNumbers): boolean {
    const counts = countsRequest(receipt);
    const { attempts } = receipt;
    let repriced = false;
    for (let index = 0; index < attempts.length; index += 1) {
      const attempt = attempts[index];
      if (attempt === undefined) continue;
      const isWritten = this.#writeAttempt(exchangeSeq, attempt, isRunning(receipt, attempt) ? 0 : 1, counts && index === attempts.length - 1 ? 1 : 0);
      if (isWritten && final.has(attempt.number)) repriced = true;
    }
    return repriced;
  }

  /** @returns whether a row was inserted or changed */
  #writeAttempt(exchangeSeq: number, attempt: Attempt, final: 0 | 1, last: 0 | 1): boolean {
    const { cost: priced } = attempt;
    // A figure that cannot be kept is unknown; the record itself is kept.
    const cost: Cost = priced.microUsd !== undefined && storedFigure(priced.microUsd) === null ? { certainty: 'unknown' } : priced;
    const values = this.#attemptValues;
    values[0] = exchangeSeq;
    values[1] = final;
    values[2] = last;
    attemptValues({ attempt, cost, priceText: this.#priceText(cost.priceUsed) }, values, 3);
    return this.#insertAttempt.run(...values).changes !== 0;
  }

  /** Price objects are shared by all attempts they priced, so their text is made once. */
  #priceText(price: PriceUsed | undefined): string | null {
    if (price === undefined) return null;
    let text = this.#priceTexts.get(price);
    if (text === undefined) {
      text = JSON.stringify(price);
      this.#priceTexts.set(price, text);
    }
    return text;
  }
}

const noNumbers: ReadonlySet<number> = new Set();

/** In an exchange that goes on, what still runs has no other outcome yet; there may be two such. */
function isRunning({ outcome }: Receipt, attempt: Attempt): boolean {
  return outcome === 'open' && attempt.outcome === 'interrupted';
}

function finalNumbers(receipt: Receipt): ReadonlySet<number> {
  return new Set(receipt.attempts.filter((attempt) => !isRunning(receipt, attempt)).map(({ number }) => number));
}

/** What counts requests goes by the last attempt of each, and a shadow is no request of a caller. */
function countsRequest({ outcome, shadow }: Receipt): boolean {
  return outcome !== 'open' && shadow === undefined;
}

const noCache: readonly ColumnValue[] = [null, null, null];

/** The columns `cache`, `cache_facts` and `saved_micro_usd`. */
function cacheValues({ cache }: Receipt): readonly ColumnValue[] {
  if (cache === undefined) return noCache;
  const { state, savedMicroUsd, ...facts } = cache;
  return [state, JSON.stringify(facts), savedMicroUsd === undefined ? null : storedFigure(savedMicroUsd)];
}
