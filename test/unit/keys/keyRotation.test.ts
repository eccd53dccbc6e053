import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KeyMaterial } from '../../../server/api/messages.ts';
import type { KeyRotationName } from '../../../server/api/settings.ts';
import type { EndpointConfig } from '../../../server/config/config.ts';
import { handleOf } from '../../../server/keys/keyHandles.ts';
import { KeyPool } from '../../../server/keys/keyPool.ts';
import { conversationKeptMs } from '../../../server/keys/keyRotation.ts';
import { seededRandom } from '../support/seededRandom.ts';

const none = new Set<string>();
const keysOf = (count: number): KeyMaterial[] => Array.from({ length: count }, (_, index) => ({ id: String(index + 1), label: `key ${index + 1}`, secret: `secret-of-key-${index + 1}` }));
const provider = { id: 'p', name: 'P', protocol: 'openai-chat' as const, baseUrls: {}, auth: 'bearer' as const, keyRequired: true, probe: { method: 'GET' as const, path: '/', provesKey: true }, dialect: {} };

function rotated(keyRotation: Exclude<KeyRotationName, 'failover'>, count: number, changes: Partial<Pick<EndpointConfig, 'keyAccounts'>> = {}): KeyPool {
  const pool = new KeyPool();
  pool.configure(new Map([['e', keysOf(count)]]), new Map([['e', { provider, keyRotation, ...changes }]]));
  return pool;
}

/** A request that takes its key, uses tokens and ends. */
function request(pool: KeyPool, now: number, conversation: string | undefined, tokens: number): string {
  const key = pool.pick('e', none, now, undefined, 'm', conversation) ?? assert.fail('no key');
  pool.taken('e', handleOf(key), 'm', now, conversation, tokens);
  return key.id;
}

describe('keys in turn', () => {
  it('get conversations in equal shares, and each conversation stays with its key', () => {
    const pool = rotated('round-robin', 3);
    const random = seededRandom(7);
    const keyOf = new Map<string, string>();
    const counts = new Map<string, number>();
    for (let turn = 0, now = 0; turn < 9000; turn += 1, now += 500) {
      const conversation = `conversation ${turn < 900 ? turn : Math.floor(random() * 900)}`;
      const id = request(pool, now, conversation, 100);
      if (!keyOf.has(conversation)) counts.set(id, (counts.get(id) ?? 0) + 1);
      assert.equal(keyOf.get(conversation) ?? id, id, 'the conversation stays');
      keyOf.set(conversation, id);
    }
    assert.deepEqual([...counts.values()], [300, 300, 300]);
  });

  it('get requests of no conversation one after the other', () => {
    const pool = rotated('round-robin', 3);
    assert.deepEqual(Array.from({ length: 6 }, (_, now) => request(pool, now, undefined, 0)), ['1', '2', '3', '1', '2', '3']);
  });

  it('that are one account get one turn', () => {
    const pool = rotated('round-robin', 3, { keyAccounts: { team: ['key 1', 'key 2'] } });
    assert.deepEqual(Array.from({ length: 8 }, (_, now) => request(pool, now, undefined, 0)), ['1', '3', '2', '3', '1', '3', '2', '3']);
  });

  it('that rest are passed over, and their conversations return while their cache is warm, or once that of the new key is cold', () => {
    const pool = rotated('round-robin', 2);
    assert.equal(request(pool, 0, 'a', 10), '1');
    pool.report('e', '1', 'rate-limit', 0, 1000);
    assert.equal(request(pool, 1, 'a', 10), '2');
    assert.equal(request(pool, 5000, 'a', 10), '1', 'its cache is still warm there');
    assert.equal(pool.pick('e', new Set(['1']), 5000, undefined, 'm', 'a')?.id, '2', 'but a request that has tried that one takes the other');
    const minute = 60_000;
    pool.report('e', '1', 'rate-limit', 5000, 6 * minute);
    for (let at = minute; at < 12 * minute; at += minute) assert.equal(request(pool, at, 'a', 10), '2', 'the cache of the first key is cold, and that of the second is warm');
    assert.equal(request(pool, 20 * minute, 'a', 10), '1', 'both are cold');
    assert.equal(request(pool, 20 * minute + 1, 'a', 10), '1');
    // Two forced switches in a row: the conversation returns to the key that it came from.
    const three = rotated('round-robin', 3);
    assert.equal(request(three, 0, 'b', 10), '1');
    three.report('e', '1', 'rate-limit', 0, 3000);
    assert.equal(request(three, 1, 'b', 10), '2');
    three.report('e', '2', 'rate-limit', 1, 9000);
    assert.equal(request(three, 2, 'b', 10), '3');
    assert.equal(request(three, 4000, 'b', 10), '1');
  });

  it('are given out anew to a conversation that was away so long that no cache is left', () => {
    const pool = rotated('round-robin', 2);
    assert.equal(request(pool, 0, 'a', 10), '1');
    assert.equal(request(pool, 1, undefined, 10), '2');
    assert.equal(request(pool, 2, undefined, 10), '1');
    assert.equal(request(pool, 1 + conversationKeptMs + 10, 'a', 10), '2');
  });

  it('count on where keys are added, and the new one is not flooded', () => {
    const pool = rotated('round-robin', 2);
    for (let now = 0; now < 10; now += 1) request(pool, now, undefined, 0);
    pool.configure(new Map([['e', keysOf(3)]]), new Map([['e', { provider, keyRotation: 'round-robin' }]]));
    assert.deepEqual(Array.from({ length: 4 }, (_, now) => request(pool, 20 + now, undefined, 0)), ['3', '1', '2', '3']);
  });
});

describe('the key that was used least', () => {
  it('comes next, so that tokens are spread evenly although requests differ', () => {
    const pool = rotated('least-used', 4);
    const random = seededRandom(11);
    const tokens = new Map<string, number>();
    for (let turn = 0, now = 0; turn < 4000; turn += 1, now += 50) {
      const size = Math.round(10 ** (2 + 3 * random()));
      const id = request(pool, now, undefined, size);
      tokens.set(id, (tokens.get(id) ?? 0) + size);
    }
    const all = [...tokens.values()];
    assert.ok(Math.max(...all) / Math.min(...all) < 1.02, all.join(' '));
  });

  it('is judged by what requests used in the end, by peers too, and by its whole account', () => {
    const pool = rotated('least-used', 2);
    assert.equal(request(pool, 0, undefined, 100), '1');
    pool.used('e', '1', -100, 1);
    assert.equal(request(pool, 2, undefined, 100), '2', 'two were never used, one was asked');
    pool.used('e', '2', 5000, 3);
    assert.equal(request(pool, 4, undefined, 100), '1');
    const shared = rotated('least-used', 3, { keyAccounts: { team: ['key 1', 'key 2'] } });
    shared.used('e', '1', 500, 0);
    shared.used('e', '3', 400, 0);
    assert.equal(request(shared, 0, undefined, 0), '3', 'key 2 is unused, and its account is not');
  });

  it('is forgiven what it used long ago', () => {
    const pool = rotated('least-used', 2);
    pool.used('e', '1', 100_000, 0);
    pool.used('e', '2', 1000, 3_600_000 * 3);
    assert.equal(request(pool, 3_600_000 * 3, undefined, 0), '1');
  });
});

describe('without rotation', () => {
  it('the first key serves every conversation, and nothing is remembered of them', () => {
    const pool = new KeyPool();
    pool.configure(new Map([['e', keysOf(2)]]), new Map([['e', { provider }]]));
    assert.deepEqual(['a', 'b', undefined].map((conversation, now) => request(pool, now, conversation, 10)), ['1', '1', '1']);
    assert.equal(pool.isRotated('e'), false);
  });
});
