import type { FailureClass } from '../api/failure.ts';
import type { KeyMaterial } from '../api/messages.ts';
import type { KeyStatus } from '../api/status.ts';
import type { ResponseHeaders } from '../base/headers/responseHeaders.ts';
import type { EndpointConfig, KeyRing } from '../config/config.ts';
import type { Admission } from '../health/healthReader.ts';
import type { KeyStateNote } from '../ledger/peerNotes.ts';
import { accountOf, answeredAccount, areApart, namedAccount, othersOfAccount } from './keyAccounts.ts';
import { handed, KeyHandles, type HandedKey } from './keyHandles.ts';
import { KeyNotes, type ReportSubject } from './keyNotes.ts';
import { rotationsOf, type KeyRotation } from './keyRotation.ts';
import { whyBlocked, type KeysBlocked } from './keysBlocked.ts';
import { privateKeyFingerprints, type KeyFingerprint } from './keyFingerprints.ts';
import { applyNote, beginTrial, coolDown, disprove, forgetRefusals, freshKey, isRejectedAgain, isUsable, keyChangesAt, noModels, proofAheadMs, reject, restingFor, shownState, type KeyKnowledge, type PooledKey } from './keyState.ts';

/** What one key is known by: to requests, in the data folder, and by another fingerprint. */
export interface KeyNames { readonly handle: string; readonly fingerprint: string; readonly other: string }

/** What is known of an endpoint's keys at a moment, by their fingerprints. */
export type KeySnapshot = ReadonlyMap<string, KeyKnowledge>;

export interface KeyPoolOptions {
  /** Fingerprints that hold for all peers of the data folder; absent: nothing is shared. */
  fingerprint?: KeyFingerprint | undefined;
  /** Called with what peers, and this server's next start, have to know. */
  onNote?: ((note: KeyStateNote) => void) | undefined;
}

/** How long a key without money cools down before it is tried again. */
const noMoneyCooldownMs = 60 * 60 * 1000;
/** The cooldown after a rate limit that named no wait. */
const blindCooldownMs = 1000;
/** A longer wait than this is a provider's mistake, or a limit for which one try a day is enough. */
const longestCooldownMs = 24 * 60 * 60 * 1000;
/** A rejection so soon after a good probe disproves the probe. */
const disprovedWithinMs = 10 * 60 * 1000;
/** How long probes of a key are ignored after one was disproved. */
const probesDoubtedMs = 60 * 60 * 1000;

/**
 * The keys of all endpoints and what is known of each: usable, cooling down, or rejected, and then tried again with growing
 * distance, by a probe where that proves something, else by one request. What a provider says of a key for one model holds
 * for that model. The first usable key is used until it fails, because prompt caches belong to an account and rotating keys
 * without need empties them; where the endpoint rotates its keys, a conversation stays with its own. Settings, and answers of
 * some providers, name the account of a key; what concerns an account concerns all its keys. A key is asked for by its handle
 * (see keyHandles.ts), so that what a request finds out about a secret is never put down to another one.
 */
export class KeyPool {
  readonly #fingerprint: KeyFingerprint;
  readonly #onNote: ((note: KeyStateNote) => void) | undefined;
  #keys = new Map<string, PooledKey[]>();
  readonly #handles = new Map<string, KeyHandles>();
  #rotations: ReadonlyMap<string, KeyRotation> = new Map();
  #sharedLimits = new Set<string>();
  /** Some key was rejected, of any endpoint, since this server began. */
  #anyRejected = false;
  /** Endpoints with fault injection under way. */
  #drilled = new Set<string>();
  readonly #notes = new KeyNotes();

  constructor({ fingerprint = privateKeyFingerprints(), onNote }: KeyPoolOptions = {}) {
    this.#fingerprint = fingerprint;
    this.#onNote = onNote;
  }

  /**
   * Takes over the configured keys. What is known of a key stays as long as its secret is the same, whatever its id.
   * @param endpoints by name; their providers say whether the keys of an account share its rate limits
   */
  configure(ring: KeyRing, endpoints?: ReadonlyMap<string, Pick<EndpointConfig, 'provider' | 'keyRotation' | 'keyAccounts'>>): void {
    const next = new Map<string, PooledKey[]>();
    for (const [endpoint, materials] of ring) {
      const known = this.#keys.get(endpoint) ?? [];
      const accounts = endpoints?.get(endpoint)?.keyAccounts;
      next.set(endpoint, materials.map(material => {
        const named = namedAccount(accounts, material);
        const before = known.find(key => key.material.secret === material.secret);
        return before === undefined ? this.#made(endpoint, material, named) : { ...before, named, material: handed(material, before.handle) };
      }));
    }
    this.#keys = next;
    this.#rotations = rotationsOf(endpoints, this.#keys, this.#rotations);
    this.#sharedLimits = new Set([...endpoints ?? []].filter(([, { provider }]) => provider.sharedLimits === true).map(([name]) => name));
  }

  /** All keys of an endpoint, usable or not. */
  all(endpoint: string): readonly HandedKey[] {
    return (this.#keys.get(endpoint) ?? []).map(key => key.material);
  }

  /** Whether an endpoint has any key, usable or not. */
  hasKeys(endpoint: string): boolean {
    return (this.#keys.get(endpoint)?.length ?? 0) > 0;
  }

  /**
   * The usable key that is next and was not tried yet: the first one, or where keys are rotated, that of the conversation or
   * the one whose turn it is.
   * @param tried handles of keys this exchange has used at this endpoint
   * @param permits whether limits let a key be used now
   * @param model for which model; absent: a key that cools down for any model is passed over
   * @param conversation absent: it belongs to none
   */
  pick(endpoint: string, tried: ReadonlySet<string>, now: number, permits?: (key: HandedKey) => boolean, model?: string, conversation?: string): HandedKey | undefined {
    const keys = this.#keys.get(endpoint);
    if (keys === undefined) return undefined;
    const isNext = (key: PooledKey): boolean => isUsable(key, model, now) && !tried.has(key.handle) && (permits === undefined || permits(key.material));
    const rotation = this.#rotations.get(endpoint);
    if (rotation === undefined) return keys.find(isNext)?.material;
    return rotation.choose(keys.filter(isNext), keys, conversation, now, model)?.material;
  }

  /**
   * The key to use when nothing else can serve, although the provider said something against each: the one of which it said
   * the shortest. Parameters as of `pick`.
   */
  pickRefused(endpoint: string, tried: ReadonlySet<string>, now: number, permits: (key: HandedKey) => boolean, model: string): HandedKey | undefined {
    let best: { material: HandedKey; freeAt: number } | undefined;
    for (const key of this.#keys.get(endpoint) ?? []) {
      if (tried.has(key.handle) || !permits(key.material)) continue;
      const freeAt = restingFor(key, model, now)?.until ?? now;
      if (best === undefined || freeAt < best.freeAt) best = { material: key.material, freeAt };
    }
    return best?.material;
  }

  /**
   * A request takes a key. One that was rejected before is tried by no other request until this one has ended.
   * @param tokens that its prompt has about
   */
  taken(endpoint: string, keyId: string, model: string, now: number, conversation?: string, tokens = 0): void {
    const rotation = this.#rotations.get(endpoint);
    if (!this.#anyRejected && rotation === undefined) return;
    const key = this.#find(endpoint, keyId);
    if (key === undefined) return;
    rotation?.taken(key, conversation, tokens, now);
    if (this.#anyRejected) beginTrial(key, model, now);
  }

  /** A request used more or fewer tokens of a key than it was taken for, or a peer used some. */
  used(endpoint: string, keyId: string, tokens: number, now: number): void {
    const rotation = this.#rotations.get(endpoint);
    const key = rotation === undefined ? undefined : this.#find(endpoint, keyId);
    if (key !== undefined) rotation?.used(key.fingerprint, tokens, now);
  }

  /** Whether keys of an endpoint are rotated. */
  isRotated(endpoint: string): boolean {
    return this.#rotations.has(endpoint);
  }

  /** Whether two keys are known to be of different accounts. */
  areApart(endpoint: string, one: string, other: string): boolean {
    const first = this.#find(endpoint, one);
    const second = this.#find(endpoint, other);
    return first !== undefined && second !== undefined && areApart(first, second);
  }

  /** A rejected key that a free call may prove again now, and when the next request may try it. */
  awaitsProof(endpoint: string, now: number): { key: HandedKey; until: number } | undefined {
    if (!this.#anyRejected) return undefined;
    for (const { material, known: { state }, probesDoubtedUntil } of this.#keys.get(endpoint) ?? []) {
      if (state.kind === 'rejected' && now >= state.until - proofAheadMs && now >= probesDoubtedUntil) return { key: material, until: state.until };
    }
    return undefined;
  }

  /** The provider has rejected the key, or its right to the model, more than once since it last served. */
  isRejectedAgain(endpoint: string, keyId: string, model: string | undefined): boolean {
    const key = this.#find(endpoint, keyId);
    return key !== undefined && isRejectedAgain(key, model);
  }

  /** Notes what an attempt or a probe proved about a key. */
  report(endpoint: string, keyId: string, outcome: 'ok' | FailureClass, now: number, retryAfterMs?: number, about: ReportSubject = {}): void {
    const key = this.#find(endpoint, keyId);
    if (key === undefined) return;
    // An attempt may outlive the fault that was injected into it, whose effects `restore` has taken back.
    if (about.drill === true && !this.#drilled.has(endpoint)) return;
    const { scope } = about;
    switch (outcome) {
      case 'ok':
        this.#answered(endpoint, key, now, about);
        return;
      case 'model-not-found':
      case 'auth':
        if (outcome === 'auth' && key.probeRevivedAt !== undefined && about.model !== undefined && now - key.probeRevivedAt < disprovedWithinMs) key.probesDoubtedUntil = now + probesDoubtedMs;
        this.#rejected(endpoint, key, outcome, now, about);
        return;
      case 'quota': {
        const until = now + Math.max(noMoneyCooldownMs, Math.min(longestCooldownMs, retryAfterMs ?? 0));
        const model = scope === 'key-model' ? about.model : undefined;
        for (const one of this.#sameAccount(endpoint, key)) {
          if (coolDown(one, model, { kind: 'no-money', since: now, until })) this.#publish(endpoint, one, about, { state: 'no-money', at: now, until, model });
        }
        return;
      }
      case 'rate-limit': {
        const until = now + Math.min(longestCooldownMs, retryAfterMs ?? blindCooldownMs);
        // A limit with a named wait is counted by model, and one whose provider says so. Else it is unknown what the limit counts.
        const model = retryAfterMs === undefined && scope !== 'key-model' ? undefined : about.model;
        for (const one of this.#sharesLimits(endpoint, key) ? this.#sameAccount(endpoint, key) : [key]) {
          if (coolDown(one, model, { kind: 'cooling', since: now, until })) this.#publish(endpoint, one, about, { state: 'cooling', at: now, until, model });
        }
        return;
      }
      default:
    }
  }

  /** An answer ends what was said against the key before its request began. One that may be older ends nothing that still runs. */
  #answered(endpoint: string, key: PooledKey, now: number, about: ReportSubject): void {
    key.provedAt = now;
    const { state, models } = key.known;
    if (state.kind === 'ok' && models.size === 0) return;
    const { startedAt, model } = about;
    if (startedAt !== undefined) {
      const ended = disprove(key, model, startedAt);
      if (ended.whole) this.#publish(endpoint, key, about, { state: 'ok', at: now });
      if (ended.model) this.#publish(endpoint, key, about, { state: 'ok', at: now, model });
    }
    const { state: left } = key.known;
    if (left.kind === 'unused' || (left.kind !== 'rejected' && 'until' in left && restingFor(key, undefined, now) === undefined)) {
      key.known = { state: { kind: 'ok' }, models: key.known.models };
    }
  }

  /** A refusal of the key, of all keys of its account, or of its right to one model. One that speaks of the endpoint says nothing of keys. */
  #rejected(endpoint: string, key: PooledKey, outcome: 'auth' | 'model-not-found', now: number, about: ReportSubject): void {
    const { scope = outcome === 'auth' ? 'key' : 'model' } = about;
    if (scope === 'endpoint' || scope === 'model') return;
    const model = scope === 'key-model' ? about.model : undefined;
    // A probe asks for no model: that it may not list the models says nothing of them.
    if (scope === 'key-model' && model === undefined) return;
    for (const one of scope === 'account' ? this.#sameAccount(endpoint, key) : [key]) {
      const until = reject(one, model, now);
      if (until === undefined) continue;
      this.#anyRejected = true;
      this.#publish(endpoint, one, about, { state: 'rejected', at: now, until, model });
    }
  }

  /** Reads from an answer's headers which account the key belongs to. */
  observe(endpoint: string, keyId: string, headers: ResponseHeaders): void {
    const account = answeredAccount(headers);
    const key = account === undefined ? undefined : this.#find(endpoint, keyId);
    if (key !== undefined) key.account = account;
  }

  /** The account whose rate limits a key shares; undefined where it is not known, or keys have limits of their own. */
  limitAccount(endpoint: string, keyId: string): string | undefined {
    const key = this.#find(endpoint, keyId);
    return key !== undefined && this.#sharesLimits(endpoint, key) ? accountOf(key) : undefined;
  }

  /** Applies what a peer, or the process before this one, found out about a key. */
  applyRemote(note: KeyStateNote): void {
    if (!this.#notes.keep(note)) return;
    if (note.state === 'rejected') this.#anyRejected = true;
    for (const key of this.#keys.get(note.endpoint) ?? []) if (key.fingerprint === note.keyFingerprint) applyNote(key, note);
  }

  /** Notes that a key was answered before this process began. @param last4 of the secret at that time; a changed secret is still unused */
  recallUse(endpoint: string, keyId: string, last4: string): void {
    const key = this.#keys.get(endpoint)?.find(candidate => candidate.material.id === keyId);
    if (key?.known.state.kind === 'unused' && lastFour(key.material.secret) === last4) key.known = { state: { kind: 'ok' }, models: key.known.models };
  }

  /** The fingerprint of a key; empty where there is no such key. */
  fingerprintOf(endpoint: string, keyId: string | undefined): string {
    return keyId === undefined ? '' : this.#find(endpoint, keyId)?.fingerprint ?? '';
  }

  /** What the keys of an endpoint are known by, where others know them by another fingerprint. */
  fingerprintsWith(endpoint: string, other: KeyFingerprint): readonly KeyNames[] {
    return (this.#keys.get(endpoint) ?? []).map(({ handle, fingerprint, material }) => ({ handle, fingerprint, other: other(material.secret) }));
  }

  /** The handle of the key with a fingerprint. */
  handleOfFingerprint(endpoint: string, fingerprint: string): string | undefined {
    return this.#keys.get(endpoint)?.find(key => key.fingerprint === fingerprint)?.handle;
  }

  /**
   * Why no key can be used now, and until when; undefined when one can, or when the endpoint needs none.
   * @param admits whether limits let a key be used, and if not, when they will
   * @param model for which model; absent: cooldowns of single models do not count
   */
  blocked(endpoint: string, keyRequired: boolean, now: number, admits?: (key: HandedKey) => Admission, model?: string): KeysBlocked | undefined {
    const keys = this.#keys.get(endpoint) ?? [];
    if (keys.length === 0) return keyRequired ? { reason: 'no key is stored for it' } : undefined;
    return whyBlocked(keys, model, now, admits);
  }

  /**
   * Gives a key another chance.
   * @param by `test`: a person had the key tested, and it works. `probe`: a free call accepted the key, which proves nothing
   *   about money or limits, and nothing at all while traffic has disproved an earlier probe
   */
  revive(endpoint: string, keyId: string, by: 'test' | 'probe' = 'test', now = 0): void {
    const key = this.#find(endpoint, keyId);
    if (key === undefined) return;
    if (by === 'probe') {
      if (key.known.state.kind !== 'rejected' || now < key.probesDoubtedUntil) {
        if (key.known.state.kind === 'unused') key.known = { state: { kind: 'ok' }, models: key.known.models };
        return;
      }
      key.probeRevivedAt = now;
    }
    const { state } = key.known;
    const hadRefusals = key.known.models.size > 0;
    key.provedAt = Math.max(now, key.provedAt);
    key.trialUntil = -Infinity;
    key.known = { state: { kind: 'ok' }, models: by === 'test' ? noModels : key.known.models };
    if (state.kind !== 'ok' && state.kind !== 'unused') this.#publish(endpoint, key, {}, { state: 'ok', at: Math.max(now, state.since) });
    else if (by === 'test' && hadRefusals) this.#publish(endpoint, key, {}, { state: 'ok', at: now });
  }

  /** A person has what was said against an endpoint's keys up to a moment forgotten: requests try each of them again. */
  forgetRefusals(endpoint: string, at: number): void {
    for (const key of this.#keys.get(endpoint) ?? []) for (const note of forgetRefusals(key, at)) this.#publish(endpoint, key, {}, note);
  }

  /** Whether the key is rejected for the model alone. */
  isRefusedFor(endpoint: string, keyId: string, model: string): boolean {
    const known = this.#find(endpoint, keyId)?.known;
    return known?.state.kind !== 'rejected' && known?.models.get(model)?.kind === 'rejected';
  }

  /** Whether the key was rejected and has not been shown to work since. */
  isRejected(endpoint: string, keyId: string): boolean {
    return this.#find(endpoint, keyId)?.known.state.kind === 'rejected';
  }

  /** Whether any key was rejected and has not been shown to work since. */
  hasRejected(endpoint: string): boolean {
    return this.#keys.get(endpoint)?.some(key => key.known.state.kind === 'rejected') ?? false;
  }

  /** What is known of an endpoint's keys now. Taken before fault injection, whose reports count from now until `restore`. */
  snapshotOf(endpoint: string): KeySnapshot {
    this.#drilled.add(endpoint);
    return new Map((this.#keys.get(endpoint) ?? []).map(key => [key.fingerprint, key.known]));
  }

  /** Restores what was known of the keys. Keys that are new since, or whose secret changed, stay as they are. */
  restore(endpoint: string, snapshot: KeySnapshot): void {
    this.#drilled.delete(endpoint);
    for (const key of this.#keys.get(endpoint) ?? []) {
      const before = snapshot.get(key.fingerprint);
      if (before === undefined) continue;
      key.known = before;
      this.#notes.applyTo(endpoint, key);
    }
  }

  /** When the first of the running cooldowns of an endpoint's keys ends; Infinity when none runs. */
  changesAt(endpoint: string, now: number): number {
    let first = Infinity;
    for (const key of this.#keys.get(endpoint) ?? []) first = Math.min(first, keyChangesAt(key, now));
    return first;
  }

  /** The keys as the UI shows them. @param limitOf the limit a key is at now, if any, by its handle */
  status(endpoint: string, now: number, limitOf?: (keyId: string) => { reason: string; retryAt: number } | undefined): KeyStatus[] {
    const keys = this.#keys.get(endpoint) ?? [];
    return keys.map((key): KeyStatus => {
      const { handle, material: { id, label, secret } } = key;
      const state = { id, label, last4: lastFour(secret), ...shownState(key, now, limitOf?.(handle)) };
      const sharers = this.#sharesLimits(endpoint, key) ? othersOfAccount(key, keys) : [];
      return sharers.length === 0 ? state : { ...state, sharesLimitsWith: sharers.map(({ material }) => material.label) };
    });
  }

  #find(endpoint: string, keyId: string): PooledKey | undefined {
    return this.#keys.get(endpoint)?.find(candidate => candidate.handle === keyId);
  }

  #made(endpoint: string, material: KeyMaterial, named: string | undefined): PooledKey {
    const fingerprint = this.#fingerprint(material.secret);
    let handles = this.#handles.get(endpoint);
    if (handles === undefined) this.#handles.set(endpoint, handles = new KeyHandles());
    const key = freshKey(handed(material, handles.of(material.id, fingerprint)), fingerprint, named);
    this.#notes.applyTo(endpoint, key);
    return key;
  }

  /** The key and all others that are known to belong to its account. */
  #sameAccount(endpoint: string, key: PooledKey): readonly PooledKey[] {
    return [key, ...othersOfAccount(key, this.#keys.get(endpoint) ?? [])];
  }

  /** Whether the keys of the key's account meet one rate limit: the settings say so, or the provider counts by account. */
  #sharesLimits(endpoint: string, key: PooledKey): boolean {
    return key.named !== undefined || this.#sharedLimits.has(endpoint);
  }

  #publish(endpoint: string, key: PooledKey, { drill }: ReportSubject, found: Pick<KeyStateNote, 'state' | 'at' | 'until' | 'model'>): void {
    if (drill === true) return;
    const note: KeyStateNote = { endpoint, keyFingerprint: key.fingerprint, kind: 'state', ...found };
    this.#notes.put(note);
    this.#onNote?.(note);
  }
}

/** The last four characters of a secret; empty for one so short that four characters would give it away. */
export function lastFour(secret: string): string {
  return secret.length < 8 ? '' : secret.slice(-4);
}
