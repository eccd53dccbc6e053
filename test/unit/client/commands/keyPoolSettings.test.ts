import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accountOfKey, accountProblem, rotationDetail, withAccount, withRotation } from '../../../../client/settings/keyPoolSettings.ts';

describe('the pool of an endpoint in the settings', () => {
  const plain = { provider: 'openai' };

  it('has a rotation where it is not the default', () => {
    assert.deepEqual(withRotation(plain, 'round-robin'), { provider: 'openai', keyRotation: 'round-robin' });
    assert.deepEqual(withRotation({ ...plain, keyRotation: 'least-used' }, 'failover'), plain);
    assert.equal(rotationDetail('round-robin'), 'Each in turn');
  });

  it('has each key in one account at most, and no account without keys', () => {
    const one = withAccount(plain, 'key 1', ' team ');
    assert.deepEqual(one, { provider: 'openai', keyAccounts: { team: ['key 1'] } });
    const two = withAccount(one, 'key 2', 'team');
    assert.equal(accountOfKey(two, 'key 2'), 'team');
    assert.deepEqual(withAccount(two, 'key 1', 'other').keyAccounts, { team: ['key 2'], other: ['key 1'] });
    assert.deepEqual(withAccount(one, 'key 1', ''), plain);
    assert.equal(accountOfKey(plain, 'key 1'), undefined);
    assert.equal(accountProblem('x'.repeat(65)), 'A name has at most 64 characters.');
  });
});
