import type { KeyRotationName } from '../api/settings.ts';
import { cacheRule } from '../catalog/cacheLifetimes.ts';
import type { EndpointConfig } from '../config/config.ts';
import { accountOf } from './keyAccounts.ts';
import type { PooledKey } from './keyState.ts';

/** A conversation without a request for so long has no warm prompt cache at any provider, so its key means nothing more. */
export const conversationKeptMs = 60 * 60 * 1000;
/** The most conversations remembered for one endpoint. */
const mostConversations = 10_000;
/** What was used so long ago counts half. */
export const usedHalfLifeMs = 10 * 60 * 1000;

/** What an endpoint's keys were used for, as far as rotation goes by it. */
interface KeyUse {
  /** The number of the last turn the key had; 0: none. */
  turn: number;
  /** Tokens, of which older ones count less. */
  tokens: number;
  /** The moment that `tokens` holds for. */
  at: number;
}

/** The key of a conversation, and the one that it had to leave. */
interface ConversationKey {
  readonly fingerprint: string;
  /** Its last use. */
  readonly at: number;
  /** The first key that it left because that one could not be used, with its last use there; absent: it has left none. */
  readonly left?: { readonly fingerprint: string; readonly at: number } | undefined;
}

/**
 * Which of an endpoint's keys a request takes, where they are rotated. A conversation stays with its key while that one is usable,
 * because prompt caches belong to an account. Once a key that it had to leave is usable again, it returns while its prompt is still in the cache there, or
 * once the cache of the new key is cold. Other requests go by turns, or to what was used least; keys of one account count as one
 * first, because they share its limits, and by themselves then.
 */
export class KeyRotation {
  readonly #rotation: Exclude<KeyRotationName, 'failover'>;
  readonly #uses = new Map<string, KeyUse>();
  /** Fingerprint of the key and last use, by conversation; the one that was used longest ago comes first. */
  readonly #conversations = new Map<string, ConversationKey>();
  readonly #provider: string;
  #turns = 0;

  /** @param provider id of the endpoint's provider */
  constructor(rotation: Exclude<KeyRotationName, 'failover'>, provider: string) {
    this.#provider = provider;
    this.#rotation = rotation;
  }

  get provider(): string {
    return this.#provider;
  }

  get name(): KeyRotationName {
    return this.#rotation;
  }

  /** The one of the usable keys that a request takes; it takes it with `taken`. @param all keys of the endpoint @param model decides how long a cache lasts */
  choose(usable: readonly PooledKey[], all: readonly PooledKey[], conversation: string | undefined, now: number, model = ''): PooledKey | undefined {
    if (usable.length < 2) return usable[0];
    const kept = this.#kept(usable, conversation, now, model);
    if (kept !== undefined) return kept;
    let best: { key: PooledKey; ofAccount: number; own: number } | undefined;
    for (const key of usable) {
      const ofAccount = this.#ofAccount(key, all, now);
      const ofKey = this.#figure(key, now);
      if (best === undefined || ofAccount < best.ofAccount || (ofAccount === best.ofAccount && ofKey < best.own)) best = { key, ofAccount, own: ofKey };
    }
    return best?.key;
  }

  /** A request takes a key. @param tokens that its prompt has about */
  taken({ fingerprint }: PooledKey, conversation: string | undefined, tokens: number, now: number): void {
    const use = this.#use(fingerprint);
    use.turn = this.#turns += 1;
    // A request without an estimate counts, too.
    this.#add(use, tokens + 1, now);
    if (conversation === undefined) return;
    const before = this.#conversations.get(conversation);
    const left = before === undefined || before.fingerprint === fingerprint ? before?.left : before.left ?? { fingerprint: before.fingerprint, at: before.at };
    this.#conversations.delete(conversation);
    this.#conversations.set(conversation, left === undefined || left.fingerprint === fingerprint ? { fingerprint, at: now } : { fingerprint, at: now, left });
    const oldest = this.#conversations.size > mostConversations ? this.#conversations.keys().next().value : undefined;
    if (oldest !== undefined) this.#conversations.delete(oldest);
  }

  /** Corrects what was used of a key: by what a request used beyond its estimate, or by what another server used. */
  used(fingerprint: string, tokens: number, now: number): void {
    this.#add(this.#use(fingerprint), tokens, now);
  }

  /** Forgets secrets that are gone. */
  keepOnly(keys: readonly PooledKey[]): void {
    for (const fingerprint of this.#uses.keys()) if (!keys.some(key => key.fingerprint === fingerprint)) this.#uses.delete(fingerprint);
  }

  /** The key that a conversation is with, or returns to; undefined: any will do. */
  #kept(usable: readonly PooledKey[], conversation: string | undefined, now: number, model: string): PooledKey | undefined {
    const known = conversation === undefined ? undefined : this.#conversations.get(conversation);
    if (known === undefined || now - known.at > conversationKeptMs) return undefined;
    const { fingerprint, at, left } = known;
    const own = usable.find(key => key.fingerprint === fingerprint);
    if (left === undefined) return own;
    const { lifetimeMs } = cacheRule(this.#provider, model);
    const returns = own === undefined || now - left.at <= lifetimeMs || now - at > lifetimeMs;
    return (returns ? usable.find(key => key.fingerprint === left.fingerprint) : undefined) ?? own;
  }

  /** Of keys of one account: the latest of their turns, or the sum of what they used. */
  #ofAccount(key: PooledKey, all: readonly PooledKey[], now: number): number {
    const account = accountOf(key);
    if (account === undefined) return this.#figure(key, now);
    let figure = 0;
    for (const other of all) {
      if (accountOf(other) !== account) continue;
      figure = this.#rotation === 'round-robin' ? Math.max(figure, this.#figure(other, now)) : figure + this.#figure(other, now);
    }
    return figure;
  }

  #figure({ fingerprint }: PooledKey, now: number): number {
    const use = this.#uses.get(fingerprint);
    if (use === undefined) return 0;
    return this.#rotation === 'round-robin' ? use.turn : decayed(use, now);
  }

  #use(fingerprint: string): KeyUse {
    let use = this.#uses.get(fingerprint);
    if (use === undefined) this.#uses.set(fingerprint, use = { turn: 0, tokens: 0, at: 0 });
    return use;
  }

  #add(use: KeyUse, tokens: number, now: number): void {
    use.tokens = Math.max(0, decayed(use, now) + tokens);
    use.at = now;
  }
}

function decayed({ tokens, at }: KeyUse, now: number): number {
  return tokens === 0 ? 0 : tokens * 0.5 ** (Math.max(0, now - at) / usedHalfLifeMs);
}

/** The rotations of all endpoints that have several keys to rotate. What one has counted stays, as long as it is the same one. */
export function rotationsOf(
  endpoints: ReadonlyMap<string, Pick<EndpointConfig, 'keyRotation' | 'provider'>> | undefined, keysOf: ReadonlyMap<string, readonly PooledKey[]>, before: ReadonlyMap<string, KeyRotation>,
): ReadonlyMap<string, KeyRotation> {
  const rotations = new Map<string, KeyRotation>();
  for (const [endpoint, { keyRotation, provider }] of endpoints ?? []) {
    const keys = keysOf.get(endpoint) ?? [];
    if (keyRotation === undefined || keys.length < 2) continue;
    const known = before.get(endpoint);
    const rotation = known?.name === keyRotation && known.provider === provider.id ? known : new KeyRotation(keyRotation, provider.id);
    rotation.keepOnly(keys);
    rotations.set(endpoint, rotation);
  }
  return rotations;
}
