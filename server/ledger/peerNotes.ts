import type { CountedKind } from '../base/headers/rateHeaders.ts';

/** The key a note is about, and the model where it is not about all of them. */
export interface KeyNoteScope {
  endpoint: string;
  /** What the key is known by in the data folder (see keys/keyFingerprints.ts); empty for endpoints without keys. */
  keyFingerprint: string;
  model?: string | undefined;
  /** Milliseconds since the epoch. */
  at: number;
}

interface KeyScopeOf<Kind> extends KeyNoteScope { kind: Kind }

/** What a server found out about a key: it is dead, cools down, or works again. */
export interface KeyStateNote extends KeyScopeOf<'state'> {
  state: 'ok' | 'rejected' | 'no-money' | 'cooling';
  /** End of a cooldown; milliseconds since the epoch. */
  until?: number | undefined;
}

/** What a provider reported to be left of a limit. */
export interface KeyLimitNote extends KeyScopeOf<CountedKind> {
  remaining: number;
  limit?: number | undefined;
  /** Milliseconds since the epoch. */
  resetAt?: number | undefined;
}

/** A part of requests that a target refused by name, or that it is said to take after all. Each part has a note of its own. */
export interface RepairNote {
  kind: 'repair';
  endpoint: string;
  /** What the provider and address of the endpoint are known by (see exchange/learntRepairs.ts). */
  place: string;
  /** The form of the request and the provider's own name of the model. */
  model: string;
  /** The repair, as text that tells it from others. */
  repair: string;
  /** Requests are changed until then; milliseconds since the epoch. Absent: they are not, from `at` on. */
  until?: number | undefined;
  /** Milliseconds since the epoch. */
  at: number;
}

/** A fact that peers, and the next start, learn. Of one subject only the latest note is kept. */
export type PeerNote = KeyStateNote | KeyLimitNote | RepairNote;

/** The subject of a note: the key, model and kind, or the part of requests. */
export function noteSubject(note: PeerNote): string {
  const { endpoint, model, kind } = note;
  return JSON.stringify(note.kind === 'repair' ? [endpoint, note.place, model, kind, note.repair] : [endpoint, note.keyFingerprint, model ?? '', kind]);
}
