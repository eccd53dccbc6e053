import type { FailureClass } from '../api/failure.ts';
import type { KeyMaterial } from '../api/messages.ts';
import type { KeyStatus } from '../api/status.ts';
import { isResting } from '../base/rest.ts';
import type { KeyRing } from '../config/config.ts';

type KeyState =
  | { kind: 'unused' }
  | { kind: 'ok' }
  | { kind: 'rejected' }
  | { kind: 'no-money'; since: number; until: number }
  | { kind: 'cooling'; since: number; until: number };

interface PooledKey { material: KeyMaterial; state: KeyState }

/** How long a key without money rests before it is tried again. */
const noMoneyRestMs = 60 * 60 * 1000;

/**
 * The keys of all endpoints and what is known of each. The first usable key is used until it fails, because
 * prompt caches belong to an account and rotating for its own sake empties them.
 */
export class KeyPool {
  #keys = new Map<string, PooledKey[]>();

  /** Adopts the keys; what is known of a key stays as long as its secret is the same. */
  configure(ring: KeyRing): void {
    const next = new Map<string, PooledKey[]>();
    for (const [endpoint, materials] of ring) {
      const known = this.#keys.get(endpoint) ?? [];
      next.set(endpoint, materials.map(material => {
        const before = known.find(key => key.material.id === material.id && key.material.secret === material.secret);
        return { material, state: before?.state ?? { kind: 'unused' } };
      }));
    }
    this.#keys = next;
  }

  /** All keys of an endpoint, usable or not. */
  all(endpoint: string): readonly KeyMaterial[] {
    return (this.#keys.get(endpoint) ?? []).map(key => key.material);
  }

  /**
   * The first usable key that was not tried yet.
   * @param tried ids of keys this exchange has used at this endpoint
   */
  pick(endpoint: string, tried: ReadonlySet<string>, now: number): KeyMaterial | undefined {
    return this.#keys.get(endpoint)?.find(key => usable(key, now) && !tried.has(key.material.id))?.material;
  }

  /** Notes what an attempt proved about a key. */
  report(endpoint: string, keyId: string, outcome: 'ok' | FailureClass, now: number, retryAfterMs?: number): void {
    const key = this.#keys.get(endpoint)?.find(candidate => candidate.material.id === keyId);
    if (key === undefined) return;
    switch (outcome) {
      case 'ok':
        key.state = { kind: 'ok' };
        return;
      case 'auth':
        key.state = { kind: 'rejected' };
        return;
      case 'quota':
        key.state = { kind: 'no-money', since: now, until: now + Math.max(noMoneyRestMs, retryAfterMs ?? 0) };
        return;
      case 'rate-limit': {
        const until = now + (retryAfterMs ?? 1000);
        if (key.state.kind !== 'cooling' || !isResting(key.state, now) || key.state.until < until) key.state = { kind: 'cooling', since: now, until };
        return;
      }
      default:
    }
  }

  /** Why no key can be used now and until when; undefined when one can, or when the endpoint needs none. */
  blocked(endpoint: string, keyRequired: boolean, now: number): { reason: string; retryAt?: number } | undefined {
    const keys = this.#keys.get(endpoint) ?? [];
    if (keys.length === 0) return keyRequired ? { reason: 'no key is stored for it' } : undefined;
    if (keys.some(key => usable(key, now))) return undefined;
    const waits = keys.flatMap(key => ('until' in key.state ? [key.state.until] : []));
    const reason = keys.every(key => key.state.kind === 'rejected') ? 'the provider rejected every key'
      : keys.some(key => key.state.kind === 'cooling') ? 'every key is rate-limited, out of money or rejected'
      : 'every key is out of money or rejected';
    return waits.length === 0 ? { reason } : { reason, retryAt: Math.min(...waits) };
  }

  /** Gives a rejected or resting key another chance, after a probe showed that it works. */
  revive(endpoint: string, keyId: string): void {
    const key = this.#keys.get(endpoint)?.find(candidate => candidate.material.id === keyId);
    if (key !== undefined) key.state = { kind: 'ok' };
  }

  /** Some key was rejected and has had no other chance since. */
  hasRejected(endpoint: string): boolean {
    return this.#keys.get(endpoint)?.some(key => key.state.kind === 'rejected') ?? false;
  }

  status(endpoint: string, now: number): KeyStatus[] {
    return (this.#keys.get(endpoint) ?? []).map(({ material, state }) => {
      const shown = { id: material.id, label: material.label, last4: lastFour(material.secret) };
      const resting = 'until' in state && isResting(state, now);
      if ('until' in state && !resting) return { ...shown, state: 'ok' as const };
      return 'until' in state ? { ...shown, state: state.kind, until: state.until } : { ...shown, state: state.kind };
    });
  }
}

/** The last four characters of a secret; nothing of one so short that four would give it away. */
export function lastFour(secret: string): string {
  return secret.length < 8 ? '' : secret.slice(-4);
}

function usable(key: PooledKey, now: number): boolean {
  switch (key.state.kind) {
    case 'unused':
    case 'ok': return true;
    case 'rejected': return false;
    case 'no-money':
    case 'cooling': return !isResting(key.state, now);
  }
}
