import type { RefusalScope } from '../api/failure.ts';
import type { KeyStateNote } from '../ledger/peerNotes.ts';
import { applyNote, type PooledKey } from './keyState.ts';

/** What a report is about, beside its key. */
export interface ReportSubject {
  /** Canonical model of the attempt; absent for probes. */
  model?: string | undefined;
  /** When the attempt began; absent: it is not known whether that was before or after an earlier refusal. */
  startedAt?: number | undefined;
  /** What a refusal speaks of; absent: by its class. */
  scope?: RefusalScope | undefined;
  /** Fault injection made the outcome up: peers must not learn of it. */
  drill?: boolean | undefined;
}

/** The latest note on each key and model, also on keys that are not configured now. */
export class KeyNotes {
  readonly #notes = new Map<string, KeyStateNote>();

  /** Keeps a note of a peer. @returns false where a newer one is known */
  keep(note: KeyStateNote): boolean {
    const before = this.#notes.get(noteKey(note));
    if (before !== undefined && before.at > note.at) return false;
    this.put(note);
    return true;
  }

  put(note: KeyStateNote): void {
    this.#notes.set(noteKey(note), note);
  }

  /** Tells a key that is new, or whose state was put back, what is known of its secret. */
  applyTo(endpoint: string, key: PooledKey): void {
    for (const note of this.#notes.values()) if (note.endpoint === endpoint && note.keyFingerprint === key.fingerprint) applyNote(key, note);
  }
}

function noteKey({ endpoint, keyFingerprint, model }: KeyStateNote): string {
  return JSON.stringify([endpoint, keyFingerprint, model ?? '']);
}
