import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { CountedKind } from '../../base/headers/rateHeaders.ts';
import type { Guard } from '../../base/guarded.ts';
import { allRows, lastSeq, readable } from './readRows.ts';
import type { KeyLimitNote, KeyNoteScope, KeyStateNote, PeerNote, RepairNote } from '../peerNotes.ts';
import { UnreadableRowError, type Row } from '../rows/rowValues.ts';

const columns = 'endpoint, key_mark, model, kind, at, state, until, remaining, most';
const pageBound = 5_000;
/** Cooldowns and limits are over by then, and all peers have seen that a key works again. */
const keptMs = 2 * 86_400_000;
/** A key without use for so long may be asked about again. */
const rejectedKeptMs = 365 * 86_400_000;

/** The kind of a row with a repair begins with it; the repair follows, so that each has a row of its own. */
const repairKind = 'repair ';

/** The notes of servers for their peers in the ledger's file: about keys, and about what targets refused. */
export class PeerNotes {
  readonly #instanceId: string;
  readonly #insert: StatementSync;
  readonly #newer: StatementSync;
  readonly #all: StatementSync;
  readonly #prune: StatementSync;
  readonly #unreadable: Guard;
  #watermark: number;

  /** @param after the `seq` from which on notes of peers are new; absent: those written from now on */
  constructor(database: DatabaseSync, instanceId: string, unreadable: Guard, after?: number) {
    this.#instanceId = instanceId;
    this.#unreadable = unreadable;
    // A replaced row gets a new seq, so that peers, which read on by seq, meet it. An older note never replaces a newer one.
    this.#insert = database.prepare(`INSERT OR REPLACE INTO key_notes (instance, ${columns})
      SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
      WHERE NOT EXISTS (SELECT 1 FROM key_notes WHERE endpoint = ?2 AND key_mark = ?3 AND model = ?4 AND kind = ?5 AND at > ?6)`);
    this.#newer = database.prepare(`SELECT seq, instance, ${columns} FROM key_notes WHERE seq > ? ORDER BY seq LIMIT ${pageBound}`);
    this.#all = database.prepare(`SELECT ${columns} FROM key_notes ORDER BY seq`);
    this.#prune = database.prepare(`DELETE FROM key_notes WHERE at < ? AND (state IS NOT 'rejected' OR at < ?)`);
    this.#watermark = after ?? Number(database.prepare('SELECT CAST(max(seq) AS REAL) AS seq FROM key_notes').get()?.['seq'] ?? 0);
  }

  /** The last row that was read of peers. */
  get watermark(): number {
    return this.#watermark;
  }

  /** Within a transaction of the caller's. */
  write(note: PeerNote): void {
    if (note.kind === 'repair') {
      this.#insert.run(this.#instanceId, note.endpoint, note.place, note.model, repairKind + note.repair, Math.round(note.at), null, whole(note.until), null, null);
      return;
    }
    const state = note.kind === 'state' ? note : undefined;
    const limit = note.kind === 'state' ? undefined : note;
    this.#insert.run(this.#instanceId, note.endpoint, note.keyFingerprint, note.model ?? '', note.kind, Math.round(note.at), state?.state ?? null,
      whole(state?.until ?? limit?.resetAt), whole(limit?.remaining), whole(limit?.limit));
  }

  /** What peers wrote since the last call; `more`: there may be still more. */
  poll(): { notes: PeerNote[]; more: boolean } {
    const rows = allRows(this.#newer, this.#watermark);
    this.#watermark = lastSeq(rows, this.#watermark);
    const notes = readable(rows.filter((row) => row['instance'] !== this.#instanceId), noteFromRow, this.#unreadable);
    return { notes, more: rows.length === pageBound };
  }

  /** Everything that is known, oldest first. */
  all(): PeerNote[] {
    return readable(allRows(this.#all), noteFromRow, this.#unreadable);
  }

  /** Forgets what no longer matters. */
  prune(now: number): void {
    this.#prune.run(now - keptMs, now - rejectedKeptMs);
  }
}

function whole(figure: number | undefined): number | null {
  return figure === undefined || !Number.isFinite(figure) ? null : Math.round(Math.min(figure, Number.MAX_SAFE_INTEGER));
}

function noteFromRow(row: Row): PeerNote {
  const { endpoint, key_mark: keyFingerprint, at, model, kind, until, remaining } = row;
  if (typeof endpoint !== 'string' || typeof keyFingerprint !== 'string' || typeof model !== 'string' || typeof kind !== 'string') throw new UnreadableRowError('key');
  if (typeof at !== 'number') throw new UnreadableRowError('at');
  if (kind.startsWith(repairKind)) {
    const note: RepairNote = { kind: 'repair', endpoint, place: keyFingerprint, model, repair: kind.slice(repairKind.length), at };
    if (typeof until === 'number') note.until = until;
    return note;
  }
  if (kind !== 'state' && typeof remaining !== 'number') throw new UnreadableRowError('remaining');
  const scope: KeyNoteScope = { endpoint, keyFingerprint, at };
  if (model !== '') scope.model = model;
  const moment = typeof until === 'number' ? until : undefined;
  if (kind === 'state') {
    const note: KeyStateNote = { ...scope, kind: 'state', state: row['state'] as KeyStateNote['state'] };
    if (moment !== undefined) note.until = moment;
    return note;
  }
  const note: KeyLimitNote = { ...scope, kind: kind as CountedKind, remaining: remaining as number };
  if (typeof row['most'] === 'number') note.limit = row['most'];
  if (moment !== undefined) note.resetAt = moment;
  return note;
}
