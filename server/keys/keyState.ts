import type { KeyStatus } from '../api/status.ts';
import { isCoolingDown, type CooldownSpan } from '../base/cooldownSpan.ts';
import type { KeyStateNote } from '../ledger/peerNotes.ts';
import { handleOf, type HandedKey } from './keyHandles.ts';

/** Why a key is not used for a while. `rejected`: the provider refused it; at the end of the span it is tried once more. */
export interface KeyRefusal extends CooldownSpan { readonly kind: 'rejected' | 'no-money' | 'cooling' }

/** What is known of a key as a whole. */
export type KeyState = { readonly kind: 'unused' } | { readonly kind: 'ok' } | KeyRefusal;

/** What is known of a key; fault injection restores it at its end. */
export interface KeyKnowledge {
  readonly state: KeyState;
  /** Refusals that hold for one model only: no right to it, its rate limit, its quota. */
  readonly models: ReadonlyMap<string, KeyRefusal>;
}

/** A key of a pool. */
export interface PooledKey {
  readonly material: HandedKey;
  /** By what requests know it. */
  readonly handle: string;
  readonly fingerprint: string;
  known: KeyKnowledge;
  /** The account the key belongs to, once an answer named it. */
  account: string | undefined;
  /** The account that the settings put it into. */
  readonly named: string | undefined;
  /** When the key last served, or was shown to work. */
  provedAt: number;
  /** When a probe found the rejected key to work. */
  probeRevivedAt: number | undefined;
  /** Until when results of probes are ignored, because traffic disproved one. */
  probesDoubtedUntil: number;
  /** Until when the one request that tries a rejected key again has it for itself. */
  trialUntil: number;
}

export const noModels: ReadonlyMap<string, KeyRefusal> = new Map();
/** The most models remembered for one key. Callers choose model names freely, so there must be a bound. */
const mostModels = 200;
/** A rejected key is tried again after so long; each further rejection doubles it, up to the longest. */
export const firstRejectionMs = 60_000;
const longestRejectionMs = 3_600_000;
/** The proof of a rejected key that costs nothing is made so long before a request may try the key. */
export const proofAheadMs = 15_000;
/** A request that tries a rejected key and does not end counts as lost after so long. */
const trialMs = 60_000;

/** A key about which nothing is known. */
export function freshKey(material: HandedKey, fingerprint: string, named?: string): PooledKey {
  return {
    material, handle: handleOf(material), fingerprint, named, known: { state: { kind: 'unused' }, models: noModels },
    account: undefined, provedAt: -Infinity, probeRevivedAt: undefined, probesDoubtedUntil: -Infinity, trialUntil: -Infinity,
  };
}

/** A refusal that keeps the key from being used for a model (absent: for every model) now, and until when; the one that lasts longest. */
export function restingFor(key: PooledKey, model: string | undefined, now: number): KeyRefusal | undefined {
  const { state, models } = key.known;
  const whole = 'until' in state ? runningRefusal(key, state, now) : undefined;
  const known = model === undefined || models.size === 0 ? undefined : models.get(model);
  const ofModel = known === undefined ? undefined : runningRefusal(key, known, now);
  if (whole === undefined) return ofModel;
  return ofModel !== undefined && ofModel.until > whole.until ? ofModel : whole;
}

/** A rejection that is over lets one request at a time try the key. */
function runningRefusal({ trialUntil }: PooledKey, refusal: KeyRefusal, now: number): KeyRefusal | undefined {
  if (isCoolingDown(refusal, now)) return refusal;
  return refusal.kind === 'rejected' && now < trialUntil && trialUntil - now <= trialMs ? { ...refusal, until: trialUntil } : undefined;
}

/** Nothing keeps the key from being used for the model; absent: for any model that it has a right to. */
export function isUsable(key: PooledKey, model: string | undefined, now: number): boolean {
  return restingFor(key, model, now) === undefined && (model !== undefined || runningModelRefusal(key, now, 'cooling') === undefined);
}

/** A request takes the key: where the key, or its right to the model, was rejected before, no other one tries it meanwhile. */
export function beginTrial(key: PooledKey, model: string, now: number): void {
  const { state, models } = key.known;
  if (state.kind === 'rejected' || models.get(model)?.kind === 'rejected') key.trialUntil = now + trialMs;
}

/** Of the refusals of a kind for single models, the one that ends last. */
export function runningModelRefusal({ known }: PooledKey, now: number, kind: KeyRefusal['kind']): { model: string; until: number } | undefined {
  let longest: { model: string; until: number } | undefined;
  for (const [model, refusal] of known.models) {
    if (refusal.kind === kind && isCoolingDown(refusal, now) && (longest === undefined || refusal.until > longest.until)) longest = { model, until: refusal.until };
  }
  return longest;
}

/** When the first refusal of a key ends, of the key as a whole or for one model; Infinity when none runs. */
export function keyChangesAt({ known: { state, models } }: PooledKey, now: number): number {
  let first = 'until' in state && isCoolingDown(state, now) ? state.until : Infinity;
  for (const refusal of models.values()) if (isCoolingDown(refusal, now)) first = Math.min(first, refusal.until);
  return first;
}

/**
 * Keeps a key away for a while, as a whole or for one model. The latest deadline stands. As a whole, a key that is rejected
 * or out of money stays so when it is only too fast.
 * @returns whether anything changed
 */
export function coolDown(key: PooledKey, model: string | undefined, refusal: KeyRefusal): boolean {
  const { state, models } = key.known;
  if (model !== undefined) {
    const before = models.get(model);
    if (before !== undefined && isCoolingDown(before, refusal.since) && before.until >= refusal.until) return false;
    key.known = { state, models: withRefusal(models, model, refusal) };
    return true;
  }
  if (state.kind === 'rejected') return false;
  if ('until' in state && isCoolingDown(state, refusal.since)) {
    const isWorse = refusal.kind === 'no-money' && state.kind === 'cooling';
    if (!isWorse && (state.kind !== refusal.kind || state.until >= refusal.until)) return false;
  }
  key.known = { state: refusal, models };
  return true;
}

/**
 * Keeps a key away that the provider rejected, as a whole or for one model. Each rejection that comes when the key is tried
 * again doubles the distance to the next try; one that comes sooner changes nothing.
 * @returns the end of the span; undefined where nothing changed
 */
export function reject(key: PooledKey, model: string | undefined, at: number): number | undefined {
  const { state, models } = key.known;
  const known = model === undefined ? state : models.get(model);
  const before = known?.kind === 'rejected' ? known : undefined;
  key.trialUntil = -Infinity;
  if (before !== undefined && isCoolingDown(before, at) && at < before.until - proofAheadMs) return undefined;
  // A span that a person ended has no length.
  const distanceMs = before === undefined ? firstRejectionMs : Math.max(firstRejectionMs, Math.min(longestRejectionMs, 2 * (before.until - before.since)));
  setRejected(key, model, { since: at, until: at + distanceMs });
  return at + distanceMs;
}

function setRejected(key: PooledKey, model: string | undefined, { since, until }: CooldownSpan): void {
  const { state, models } = key.known;
  const refusal: KeyRefusal = { kind: 'rejected', since, until };
  key.known = model === undefined ? { state: refusal, models } : { state, models: withRefusal(models, model, refusal) };
}

function withRefusal(models: ReadonlyMap<string, KeyRefusal>, model: string, refusal: KeyRefusal): ReadonlyMap<string, KeyRefusal> {
  // A rejection that is over is kept: its length says when the next one is tried again.
  const kept = [...models].filter(([name, other]) => name !== model && (other.kind === 'rejected' || isCoolingDown(other, refusal.since))).slice(1 - mostModels);
  return new Map([...kept, [model, refusal]]);
}

/** The provider has rejected the key, or its right to the model, more than once since it last served. */
export function isRejectedAgain({ known: { state, models } }: PooledKey, model: string | undefined): boolean {
  const refusal = model === undefined ? undefined : models.get(model);
  return [state, refusal].some(one => one?.kind === 'rejected' && one.until - one.since > firstRejectionMs);
}

/**
 * A request that began at `startedAt` was answered for the model: what was said against the key before that no longer holds.
 * @returns what it ended: refusals of the key as a whole, and for the model
 */
export function disprove(key: PooledKey, model: string | undefined, startedAt: number): { whole: boolean; model: boolean } {
  const { state, models } = key.known;
  const whole = 'until' in state && startedAt > state.since;
  const refusal = model === undefined ? undefined : models.get(model);
  const ofModel = refusal !== undefined && startedAt > refusal.since;
  if (!whole && !ofModel) return { whole, model: ofModel };
  key.trialUntil = -Infinity;
  key.known = { state: whole ? { kind: 'ok' } : state, models: ofModel ? withoutModel(models, model ?? '') : models };
  return { whole, model: ofModel };
}

/**
 * Ends what was said against a key up to a moment: cooldowns and missing money are over, and the next request tries what was rejected.
 * @returns what peers have to know, as parts of notes
 */
export function forgetRefusals(key: PooledKey, at: number): Pick<KeyStateNote, 'state' | 'at' | 'until' | 'model'>[] {
  const { state, models } = key.known;
  const notes: Pick<KeyStateNote, 'state' | 'at' | 'until' | 'model'>[] = [];
  const left = (refusal: KeyRefusal, model?: string): KeyRefusal | undefined => {
    if (refusal.since > at) return refusal;
    const isRejected = refusal.kind === 'rejected';
    notes.push(isRejected ? { state: 'rejected', at, until: at, model } : { state: 'ok', at, model });
    return isRejected ? { kind: 'rejected', since: at, until: at } : undefined;
  };
  const whole = 'until' in state ? left(state) ?? { kind: 'ok' as const } : state;
  const ofModels = [...models].flatMap(([model, refusal]) => {
    const rest = left(refusal, model);
    return rest === undefined ? [] : [[model, rest] as const];
  });
  if (notes.length === 0) return notes;
  key.trialUntil = -Infinity;
  key.known = { state: whole, models: ofModels.length === 0 ? noModels : new Map(ofModels) };
  return notes;
}

function withoutModel(models: ReadonlyMap<string, KeyRefusal>, model: string): ReadonlyMap<string, KeyRefusal> {
  return models.size === 1 ? noModels : new Map([...models].filter(([name]) => name !== model));
}

/** Applies what a peer, or the process before this one, found out. */
export function applyNote(key: PooledKey, note: KeyStateNote): void {
  const { state, models } = key.known;
  const { model, at, until } = note;
  switch (note.state) {
    case 'ok':
      if (model !== undefined) {
        if ((models.get(model)?.since ?? Infinity) <= at) key.known = { state, models: withoutModel(models, model) };
      } else if ('since' in state && state.since <= at) key.known = { state: { kind: 'ok' }, models: noModels };
      else if (state.kind === 'ok' || state.kind === 'unused') key.known = { state, models: noModels };
      return;
    case 'rejected':
      // The key has served since.
      if (model === undefined && at < key.provedAt) return;
      setRejected(key, model, { since: at, until: until ?? at + firstRejectionMs });
      return;
    case 'no-money':
    case 'cooling':
      if (until !== undefined) coolDown(key, model, { kind: note.state, since: at, until });
  }
}

/** The state of a key as the UI shows it. @param limit the limit the key is at, if any */
export function shownState(key: PooledKey, now: number, limit: { reason: string; retryAt: number } | undefined): Pick<KeyStatus, 'state' | 'until' | 'reason'> {
  const { state } = key.known;
  if (state.kind === 'rejected') return isCoolingDown(state, now) ? { state: 'rejected', until: state.until } : { state: 'rejected' };
  if ('until' in state && isCoolingDown(state, now)) return { state: state.kind, until: state.until };
  const ofModel = runningModelRefusal(key, now, 'cooling');
  if (ofModel !== undefined && (limit === undefined || ofModel.until >= limit.retryAt)) {
    return { state: 'cooling', until: ofModel.until, reason: `rate-limited by the provider for ${ofModel.model}` };
  }
  if (limit !== undefined) return { state: 'cooling', until: limit.retryAt, reason: limit.reason };
  const reason = refusedModels(key, now);
  return { state: state.kind === 'unused' ? 'unused' : 'ok', ...(reason === undefined ? {} : { reason }) };
}

/** How many models a sentence names. */
const namedModels = 3;

/** `may not use gpt-x`, `has no quota left for gemini-y`; undefined where nothing is refused for a model. */
function refusedModels({ known: { models } }: PooledKey, now: number): string | undefined {
  if (models.size === 0) return undefined;
  const rejected = [...models].filter(([, { kind }]) => kind === 'rejected').map(([model]) => model);
  const unpaid = [...models].filter(([, refusal]) => refusal.kind === 'no-money' && isCoolingDown(refusal, now)).map(([model]) => model);
  const parts = [...(rejected.length === 0 ? [] : [`may not use ${listed(rejected)}`]), ...(unpaid.length === 0 ? [] : [`has no quota left for ${listed(unpaid)}`])];
  return parts.length === 0 ? undefined : parts.join(', ');
}

function listed(models: readonly string[]): string {
  const more = models.length - namedModels;
  return `${models.slice(0, namedModels).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A key in the middle of a sentence. Keys are called `key 1`, `key 2` until someone renames them: the word is not said twice. */
export function keyInSentence(label: string): string {
  return /^(?:the new )?key\b/i.test(label) ? label : `key ${label}`;
}
