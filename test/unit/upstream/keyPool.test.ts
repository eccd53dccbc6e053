import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { KeyPool, lastFour } from '../../../server/upstream/keyPool.ts';

const hourMs = 3_600_000;
const one = { id: '1', label: 'one', secret: 'first-secret-1111' };
const two = { id: '2', label: 'two', secret: 'second-secret-2222' };
const none = new Set<string>();

describe('a pool of keys', () => {
  let pool: KeyPool;
  beforeEach(() => {
    pool = new KeyPool();
    pool.configure(new Map([['e', [one, two]]]));
  });
  const states = (now: number): string[] => pool.status('e', now).map(key => key.state);

  it('uses the first key as long as it serves, because caches belong to an account', () => {
    for (let round = 0; round < 3; round += 1) {
      assert.equal(pool.pick('e', none, 0), one);
      pool.report('e', '1', 'ok', 0);
    }
    assert.deepEqual(states(0), ['ok', 'unused']);
    assert.equal(pool.pick('e', new Set(['1']), 0), two);
    assert.equal(pool.pick('e', new Set(['1', '2']), 0), undefined);
    assert.equal(pool.pick('nowhere', none, 0), undefined);
  });

  it('never uses a rejected key again, until it is replaced or shown to work', () => {
    pool.report('e', '1', 'auth', 0);
    assert.equal(pool.pick('e', none, 1000 * hourMs), two);
    pool.configure(new Map([['e', [one, two]]]));
    assert.deepEqual(states(0), ['rejected', 'unused']);
    pool.configure(new Map([['e', [{ ...one, secret: 'another-secret-3333' }, two]]]));
    assert.deepEqual(states(0), ['unused', 'unused']);
    pool.report('e', '1', 'auth', 0);
    pool.revive('e', '1');
    assert.deepEqual(states(0), ['ok', 'unused']);
  });

  it('rests a key without money for an hour at least, and a limited one as long as the provider says', () => {
    pool.report('e', '1', 'quota', 0);
    pool.report('e', '2', 'rate-limit', 0, 5000);
    assert.deepEqual(states(0), ['no-money', 'cooling']);
    assert.equal(pool.pick('e', none, 4999), undefined);
    assert.equal(pool.pick('e', none, 5000), two);
    assert.equal(pool.pick('e', none, hourMs), one);
    assert.deepEqual(states(hourMs), ['ok', 'ok']);
    pool.report('e', '1', 'quota', 0, 5 * hourMs);
    assert.equal(pool.pick('e', new Set(['2']), 5 * hourMs - 1), undefined);
  });

  it('keeps the longest deadline a limited key was given', () => {
    pool.report('e', '1', 'rate-limit', 0, 60_000);
    pool.report('e', '1', 'rate-limit', 10, 1000);
    assert.equal(pool.status('e', 0)[0]?.until, 60_000);
  });

  it('thinks nothing of a key when the provider or the request is at fault', () => {
    for (const failure of ['server', 'network', 'timeout', 'overloaded', 'bad-request', 'context-overflow', 'content-policy', 'model-not-found', 'cancelled'] as const) pool.report('e', '1', failure, 0);
    assert.deepEqual(states(0), ['unused', 'unused']);
  });

  it('says why no key can be used, and until when', () => {
    assert.equal(pool.blocked('e', true, 0), undefined);
    assert.equal(pool.blocked('nowhere', false, 0), undefined);
    assert.match(pool.blocked('nowhere', true, 0)?.reason ?? '', /no key is stored/);
    pool.report('e', '1', 'auth', 0);
    pool.report('e', '2', 'rate-limit', 0, 7000);
    assert.deepEqual(pool.blocked('e', true, 0), { reason: 'every key is rate-limited, out of money or rejected', retryAt: 7000 });
    pool.report('e', '2', 'auth', 0);
    assert.deepEqual(pool.blocked('e', true, 0), { reason: 'the provider rejected every key' });
  });

  it('shows the last four characters of a key, and nothing of a short one', () => {
    assert.equal(lastFour('abcdefgh1234'), '1234');
    assert.equal(lastFour('x'), '');
    assert.equal(lastFour('1234567'), '');
    assert.ok(!JSON.stringify(pool.status('e', 0)).includes('secret-1111'));
  });
});

describe('a clock set back', () => {
  it('ends the rests of keys instead of prolonging them', () => {
    const pool = new KeyPool();
    pool.configure(new Map([['e', [one, two]]]));
    pool.report('e', '1', 'quota', 10 * hourMs);
    pool.report('e', '2', 'rate-limit', 10 * hourMs, 60_000);
    assert.equal(pool.pick('e', none, 10 * hourMs), undefined);
    assert.equal(pool.pick('e', none, hourMs), one);
    assert.equal(pool.blocked('e', true, hourMs), undefined);
    assert.deepEqual(pool.status('e', hourMs).map(key => key.state), ['ok', 'ok']);
    pool.report('e', '2', 'rate-limit', hourMs, 60_000);
    assert.equal(pool.status('e', hourMs)[1]?.until, hourMs + 60_000);
  });
});
