import type { KeyMaterial } from '../api/messages.ts';
import type { KeyStatus } from '../api/status.ts';
import { isCoolingDown, type CooldownSpan } from '../base/cooldownSpan.ts';
import type { KeyStateNote } from '../ledger/keyNotes.ts';

/** What is known of a key as a whole. */
export type KeyState =
  | { readonly kind: 'unused' }
  | { readonly kind: 'ok' }
  /** Dead: until its secret changes or it is shown to work. */
  | { readonly kind: 'rejected'; readonly since: number }
  | { readonly kind: 'no-money' | 'cooling'; readonly since: number; readonly until: number };

/** What is known of a key, and what can be put back after a drill. */
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
  /** The account it belongs to, once an answer said so. */
  account: string | undefined;
  /** When it last served, or was shown to work. */
  provedAt: number;
  /** A probe found a dead key good at this moment. */
  probeRevivedAt: number | undefined;
  /** What probes find out counts nothing until then: traffic has shown otherwise. */
  probesDoubtedUntil: number;
}

export const noModels: ReadonlyMap<string, CooldownSpan> = new Map();
/** Names of models come from callers: no more are remembered for one key. */
const mostModels = 200;

/** A key of which nothing is known. */
export function freshKey(material: KeyMaterial, fingerprint: string): PooledKey {
  return {
    material, fingerprint, known: { state: { kind: 'unused' }, models: noModels },
    account: undefined, provedAt: -Infinity, probeRevivedAt: undefined, probesDoubtedUntil: -Infinity,
  };
}

/** Until when a key rests for a model (absent: for all of them); undefined when it does not, or is dead. */
export function coolsDownUntil({ known: { state, models } }: PooledKey, model: string | undefined, now: number): number | undefined {
  const whole = 'until' in state && isCoolingDown(state, now) ? state.until : undefined;
  const cooldown = model === undefined ? undefined : models.get(model);
  const ofModel = cooldown !== undefined && isCoolingDown(cooldown, now) ? cooldown.until : undefined;
  if (whole === undefined) return ofModel;
  return ofModel === undefined ? whole : Math.max(whole, ofModel);
}

/** Neither dead nor resting; without a model: for whatever model. */
export function isUsable(key: PooledKey, model: string | undefined, now: number): boolean {
  if (key.known.state.kind === 'rejected' || coolsDownUntil(key, model, now) !== undefined) return false;
  return model !== undefined || runningModelCooldown(key, now) === undefined;
}

/** The rest of a single model that lasts longest. */
export function runningModelCooldown({ known }: PooledKey, now: number): { model: string; until: number } | undefined {
  let longest: { model: string; until: number } | undefined;
  for (const [model, cooldown] of known.models) {
    if (isCoolingDown(cooldown, now) && (longest === undefined || cooldown.until > longest.until)) longest = { model, until: cooldown.until };
  }
  return longest;
}

/**
 * Rests a key after a rate limit, as a whole or for one model. The longest deadline stands, and neither a dead key nor one
 * without money becomes better by it.
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

/** Rests a key whose account has no money. @returns whether anything changed */
export function noMoney(key: PooledKey, cooldown: CooldownSpan): boolean {
  const { state, models } = key.known;
  if (state.kind === 'rejected') return false;
  if (state.kind === 'no-money' && isCoolingDown(state, cooldown.since) && state.until >= cooldown.until) return false;
  key.known = { state: { kind: 'no-money', ...cooldown }, models };
  return true;
}

/** Takes over what another window, or the process before this one, found out. */
export function applyNote(key: PooledKey, note: KeyStateNote): void {
  const { state, models } = key.known;
  switch (note.state) {
    case 'ok':
      if ('since' in state && state.since <= note.at) key.known = { state: { kind: 'ok' }, models: noModels };
      else if (state.kind === 'ok' || state.kind === 'unused') key.known = { state, models: noModels };
      return;
    case 'rejected':
      // It has served since.
      if (note.at < key.provedAt) return;
      key.known = { state: { kind: 'rejected', since: note.at }, models };
      return;
    case 'no-money':
      if (note.until !== undefined) noMoney(key, { since: note.at, until: note.until });
      return;
    case 'cooling':
      if (note.until !== undefined) coolDown(key, note.model, { since: note.at, until: note.until });
  }
}

/** What a person is shown of a key. @param limit the limit it is at, where it could be used otherwise */
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
