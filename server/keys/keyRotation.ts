import type { KeyRotationName } from '../api/settings.ts';
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

/**
 * Which of an endpoint's keys a request takes, where they are rotated. A conversation stays with its key while that one is usable,
 * because prompt caches belong to an account. Other requests go by turns, or to what was used least; keys of one account count as one
 * first, because they share its limits, and by themselves then.
 */
export class KeyRotation {
  readonly #rotation: Exclude<KeyRotationName, 'failover'>;
  readonly #uses = new Map<string, KeyUse>();
  /** Fingerprint of the key and last use, by conversation; the one that was used longest ago comes first. */
  readonly #conversations = new Map<string, { fingerprint: string; at: number }>();
  #turns = 0;

  constructor(rotation: Exclude<KeyRotationName, 'failover'>) {
    this.#rotation = rotation;
  }

  get name(): KeyRotationName {
    return this.#rotation;
  }

  /** The one of the usable keys that a request takes; it takes it with `taken`. @param all keys of the endpoint */
  choose(usable: readonly PooledKey[], all: readonly PooledKey[], conversation: string | undefined, now: number): PooledKey | undefined {
    if (usable.length < 2) return usable[0];
    const own = this.#keyOf(conversation, now);
    const kept = own === undefined ? undefined : usable.find(({ fingerprint }) => fingerprint === own);
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
    this.#conversations.delete(conversation);
    this.#conversations.set(conversation, { fingerprint, at: now });
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

  #keyOf(conversation: string | undefined, now: number): string | undefined {
    const known = conversation === undefined ? undefined : this.#conversations.get(conversation);
    return known === undefined || now - known.at > conversationKeptMs ? undefined : known.fingerprint;
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
  endpoints: ReadonlyMap<string, Pick<EndpointConfig, 'keyRotation'>> | undefined, keysOf: ReadonlyMap<string, readonly PooledKey[]>, before: ReadonlyMap<string, KeyRotation>,
): ReadonlyMap<string, KeyRotation> {
  const rotations = new Map<string, KeyRotation>();
  for (const [endpoint, { keyRotation }] of endpoints ?? []) {
    const keys = keysOf.get(endpoint) ?? [];
    if (keyRotation === undefined || keys.length < 2) continue;
    const known = before.get(endpoint);
    const rotation = known?.name === keyRotation ? known : new KeyRotation(keyRotation);
    rotation.keepOnly(keys);
    rotations.set(endpoint, rotation);
  }
  return rotations;
}
