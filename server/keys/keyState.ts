import type { KeyMaterial } from '../api/messages.ts';
import type { KeyStatus } from '../api/status.ts';
import { isCoolingDown, type CooldownSpan } from '../base/cooldownSpan.ts';
import type { KeyStateNote } from '../ledger/keyNotes.ts';

/** What is known of a key as a whole. */
export type KeyState =
  | { readonly kind: 'unused' }
  | { readonly kind: 'ok' }
  /** Not used until its secret changes or a test shows that it works. */
  | { readonly kind: 'rejected'; readonly since: number }
  | { readonly kind: 'no-money' | 'cooling'; readonly since: number; readonly until: number };

/** What is known of a key; fault injection restores it at its end. */
export interface KeyKnowledge {
  readonly state: KeyState;
  /** Rate limits that hold for one model only. */
  readonly models: ReadonlyMap<string, CooldownSpan>;
}

/** A key of a pool. */
export interface PooledKey {
  readonly material: KeyMaterial;
  readonly fingerprint: string;
  known: KeyKnowledge;
  /** The account the key belongs to, once an answer named it. */
  account: string | undefined;
  /** When the key last served, or was shown to work. */
  provedAt: number;
  /** When a probe found the rejected key to work. */
  probeRevivedAt: number | undefined;
  /** Until when results of probes are ignored, because traffic disproved one. */
  probesDoubtedUntil: number;
}

export const noModels: ReadonlyMap<string, CooldownSpan> = new Map();
/** The most models remembered for one key. Callers choose model names freely, so there must be a bound. */
const mostModels = 200;

/** A key about which nothing is known. */
export function freshKey(material: KeyMaterial, fingerprint: string): PooledKey {
  return {
    material, fingerprint, known: { state: { kind: 'unused' }, models: noModels },
    account: undefined, provedAt: -Infinity, probeRevivedAt: undefined, probesDoubtedUntil: -Infinity,
  };
}

/** Until when a key cools down for a model (absent: for every model); undefined when it does not. */
export function coolsDownUntil({ known: { state, models } }: PooledKey, model: string | undefined, now: number): number | undefined {
  const whole = 'until' in state && isCoolingDown(state, now) ? state.until : undefined;
  const cooldown = model === undefined ? undefined : models.get(model);
  const ofModel = cooldown !== undefined && isCoolingDown(cooldown, now) ? cooldown.until : undefined;
  if (whole === undefined) return ofModel;
  return ofModel === undefined ? whole : Math.max(whole, ofModel);
}

/** Neither rejected nor cooling down for the model; absent: for any model. */
export function isUsable(key: PooledKey, model: string | undefined, now: number): boolean {
  if (key.known.state.kind === 'rejected' || coolsDownUntil(key, model, now) !== undefined) return false;
  return model !== undefined || runningModelCooldown(key, now) === undefined;
}

/** Of the cooldowns of single models, the one that ends last. */
export function runningModelCooldown({ known }: PooledKey, now: number): { model: string; until: number } | undefined {
  let longest: { model: string; until: number } | undefined;
  for (const [model, cooldown] of known.models) {
    if (isCoolingDown(cooldown, now) && (longest === undefined || cooldown.until > longest.until)) longest = { model, until: cooldown.until };
  }
  return longest;
}

/** When the first cooldown of a key ends, of the key as a whole or for one model; Infinity when none runs. */
export function keyChangesAt({ known: { state, models } }: PooledKey, now: number): number {
  let first = 'until' in state && isCoolingDown(state, now) ? state.until : Infinity;
  for (const cooldown of models.values()) if (isCoolingDown(cooldown, now)) first = Math.min(first, cooldown.until);
  return first;
}

/**
 * Cools a key down after a rate limit, as a whole or for one model. The latest deadline stands. A key that is rejected or
 * out of money stays so.
 * @returns whether anything changed
 */
export function coolDown(key: PooledKey, model: string | undefined, cooldown: CooldownSpan): boolean {
  const { state, models } = key.known;
  if (model !== undefined) {
    const before = models.get(model);
    if (before !== undefined && isCoolingDown(before, cooldown.since) && before.until >= cooldown.until) return false;
    const kept = [...models].filter(([name, other]) => name !== model && isCoolingDown(other, cooldown.since)).slice(1 - mostModels);
    key.known = { state, models: new Map([...kept, [model, cooldown]]) };
    return true;
  }
  if (state.kind === 'rejected') return false;
  if ('until' in state && isCoolingDown(state, cooldown.since) && (state.kind === 'no-money' || state.until >= cooldown.until)) return false;
  key.known = { state: { kind: 'cooling', ...cooldown }, models };
  return true;
}

/** Cools a key down whose account has no money. @returns whether anything changed */
export function coolDownForMoney(key: PooledKey, cooldown: CooldownSpan): boolean {
  const { state, models } = key.known;
  if (state.kind === 'rejected') return false;
  if (state.kind === 'no-money' && isCoolingDown(state, cooldown.since) && state.until >= cooldown.until) return false;
  key.known = { state: { kind: 'no-money', ...cooldown }, models };
  return true;
}

/** Applies what a peer, or the process before this one, found out. */
export function applyNote(key: PooledKey, note: KeyStateNote): void {
  const { state, models } = key.known;
  switch (note.state) {
    case 'ok':
      if ('since' in state && state.since <= note.at) key.known = { state: { kind: 'ok' }, models: noModels };
      else if (state.kind === 'ok' || state.kind === 'unused') key.known = { state, models: noModels };
      return;
    case 'rejected':
      // The key has served since.
      if (note.at < key.provedAt) return;
      key.known = { state: { kind: 'rejected', since: note.at }, models };
      return;
    case 'no-money':
      if (note.until !== undefined) coolDownForMoney(key, { since: note.at, until: note.until });
      return;
    case 'cooling':
      if (note.until !== undefined) coolDown(key, note.model, { since: note.at, until: note.until });
  }
}

/** The state of a key as the UI shows it. @param limit the limit the key is at, if any */
export function shownState(key: PooledKey, now: number, limit: { reason: string; retryAt: number } | undefined): Pick<KeyStatus, 'state' | 'until' | 'reason'> {
  const { state } = key.known;
  if (state.kind === 'rejected') return { state: 'rejected' };
  if ('until' in state && isCoolingDown(state, now)) return { state: state.kind, until: state.until };
  const ofModel = runningModelCooldown(key, now);
  if (ofModel !== undefined && (limit === undefined || ofModel.until >= limit.retryAt)) {
    return { state: 'cooling', until: ofModel.until, reason: `rate-limited by the provider for ${ofModel.model}` };
  }
  if (limit !== undefined) return { state: 'cooling', until: limit.retryAt, reason: limit.reason };
  return { state: state.kind === 'unused' ? 'unused' : 'ok' };
}
