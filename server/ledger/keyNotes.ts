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

/** A fact about a key that peers, and the next start, learn. Of one key, model and kind only the latest note is kept. */
export type KeyNote = KeyStateNote | KeyLimitNote;

/** The subject of a note. Notes about the same key, model and kind have the same subject. */
export function noteSubject({ endpoint, keyFingerprint, model, kind }: KeyNote): string {
  return JSON.stringify([endpoint, keyFingerprint, model ?? '', kind]);
}
