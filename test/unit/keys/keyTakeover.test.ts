import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { handleOf } from '../../../server/keys/keyHandles.ts';
import { KeyPool } from '../../../server/keys/keyPool.ts';

const none = new Set<string>();
const old = { id: '1', label: 'key 1', secret: 'the-old-secret-1111' };
const renewed = { id: '1', label: 'key 1', secret: 'the-new-secret-2222' };
const second = { id: '2', label: 'key 2', secret: 'another-secret-3333' };

function poolOf(...keys: readonly typeof old[]): KeyPool {
  const pool = new KeyPool();
  pool.configure(new Map([['e', keys]]));
  return pool;
}

describe('a new secret under the id of another one', () => {
  it('is not blamed for what running requests find out about the old one', () => {
    const pool = poolOf(old);
    const taken = handleOf(pool.pick('e', none, 0) ?? assert.fail());
    pool.configure(new Map([['e', [renewed]]]));
    pool.report('e', taken, 'auth', 10);
    pool.report('e', taken, 'quota', 10);
    pool.observe('e', taken, { 'openai-organization': 'org-old' });
    assert.equal(pool.status('e', 11)[0]?.state, 'unused');
    assert.equal(pool.pick('e', none, 11)?.secret, renewed.secret);
  });

  it('serves a request that has used up the old one', () => {
    const pool = poolOf(old);
    const tried = new Set([handleOf(pool.pick('e', none, 0) ?? assert.fail())]);
    pool.configure(new Map([['e', [renewed]]]));
    assert.equal(pool.pick('e', tried, 10)?.secret, renewed.secret);
    tried.add(handleOf(pool.pick('e', tried, 10) ?? assert.fail()));
    assert.equal(pool.pick('e', tried, 10), undefined);
  });

  it('is the old one again where that comes back', () => {
    const pool = poolOf(old);
    pool.report('e', '1', 'auth', 0);
    pool.configure(new Map([['e', [renewed]]]));
    pool.configure(new Map([['e', [old]]]));
    assert.equal(handleOf(pool.pick('e', none, 60_000) ?? assert.fail()), '1');
    assert.equal(pool.status('e', 10)[0]?.state, 'rejected', 'what was known of it holds');
  });
});

describe('a secret that moves to another id', () => {
  it('takes along what is known of it, and what running requests find out', () => {
    const pool = poolOf(old, second);
    const [, two] = pool.all('e');
    const taken = handleOf(two ?? assert.fail());
    pool.configure(new Map([['e', [{ ...second, id: '1', label: 'key 1' }]]]));
    pool.report('e', '1', 'auth', 5);
    assert.equal(pool.status('e', 6)[0]?.state, 'unused', 'the report was of the secret that is gone');
    pool.report('e', taken, 'quota', 10);
    assert.deepEqual(pool.status('e', 11).map(({ id, state }) => [id, state]), [['1', 'no-money']]);
  });
});

describe('accounts that the settings name', () => {
  const provider = { id: 'p', name: 'P', protocol: 'openai-chat' as const, baseUrls: {}, auth: 'bearer' as const, keyRequired: true, probe: { method: 'GET' as const, path: '/', provesKey: true }, dialect: {} };
  const third = { id: '3', label: 'key 3', secret: 'third-secret-4444' };
  const pool = poolOf(old, second, third);
  pool.configure(new Map([['e', [old, second, third]]]), new Map([['e', { provider, keyAccounts: { team: ['key 1', 'key 2'] } }]]));

  it('share limits and cooldowns, whatever the provider says of its keys', () => {
    assert.equal(pool.limitAccount('e', '1'), pool.limitAccount('e', '2'));
    assert.equal(pool.limitAccount('e', '3'), undefined);
    pool.report('e', '1', 'rate-limit', 0, 5000);
    assert.equal(pool.pick('e', none, 1)?.id, '3');
    assert.deepEqual(pool.status('e', 1).map(({ sharesLimitsWith }) => sharesLimitsWith), [['key 2'], ['key 1'], undefined]);
    assert.equal(pool.areApart('e', '1', '3'), false, 'of the third nothing is known');
  });

  it('win over what answers say, and hold for secrets that come later', () => {
    pool.observe('e', '2', { 'openai-organization': 'org-x' });
    pool.observe('e', '3', { 'openai-organization': 'org-x' });
    assert.notEqual(pool.limitAccount('e', '2'), pool.limitAccount('e', '3'));
    pool.configure(new Map([['e', [renewed, second]]]), new Map([['e', { provider, keyAccounts: { team: ['key 1', 'key 2'] } }]]));
    pool.report('e', '2', 'quota', 10_000);
    assert.equal(pool.pick('e', none, 10_001), undefined);
  });
});
