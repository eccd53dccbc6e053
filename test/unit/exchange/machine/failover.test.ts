import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureClasses, type FailureClass } from '../../../../server/api/failure.ts';
import { leastFinal, nextStep, retryableWhenNothingElse, type FailedAttempt, type FailoverStep } from '../../../../server/exchange/machine/failover.ts';

function after(failureClass: FailureClass, situation: Partial<FailedAttempt> = {}): FailoverStep {
  return nextStep({ failureClass, code: 'internal', anotherKey: false, sharedLimits: false, stripped: false, repaired: false, anotherTarget: true, ...situation });
}

describe('what follows a failure before the commit point', () => {
  const cases: readonly [FailureClass, Partial<FailedAttempt>, FailoverStep, string][] = [
    ['bad-request', {}, 'tell-caller', 'a wrong request is wrong everywhere'],
    ['content-policy', {}, 'tell-caller', 'no silent change of model after a refusal'],
    ['cancelled', {}, 'tell-caller', 'the caller has gone'],
    ['auth', { anotherKey: true }, 'next-key', 'another key may be good'],
    ['auth', {}, 'next-target', 'no key is left'],
    ['quota', { anotherKey: true }, 'next-key', 'another account may have money'],
    ['quota', {}, 'next-target', 'no account is left'],
    ['rate-limit', { anotherKey: true }, 'next-key', 'another key has a limit of its own'],
    ['rate-limit', { anotherKey: true, sharedLimits: true }, 'next-target', 'the keys share the limit that was reached'],
    ['rate-limit', { anotherKey: true, sharedLimits: true, anotherTarget: false }, 'next-key', 'no other target is left'],
    ['rate-limit', {}, 'next-target', 'no key is left'],
    ['overloaded', { anotherKey: true }, 'next-target', 'another key meets the same servers'],
    ['server', { anotherKey: true }, 'next-target', 'another key meets the same fault'],
    ['timeout', { anotherKey: true }, 'next-target', 'another key would wait as long'],
    ['network', { code: 'connection-refused' }, 'next-target', 'no server listens there'],
    ['server', { code: 'connection-reset' }, 'next-target', 'a server that took the request and closed is not asked again while another target is left'],
    ['network', { code: 'connection-failed' }, 'next-target', 'nothing was sent, and another target is left'],
    ['local', { anotherKey: true }, 'next-target', 'another target may have an open connection'],
    ['context-overflow', {}, 'next-target', 'a larger context window may hold it'],
    ['model-not-found', {}, 'next-target', 'another endpoint may have it'],
    ['bad-request', { code: 'reasoning-rejected' }, 'resend-without-reasoning', 'only the foreign reasoning is wrong'],
    ['bad-request', { code: 'reasoning-rejected', stripped: true }, 'tell-caller', 'without it, it is still wrong'],
    ['bad-request', { repaired: true }, 'resend-repaired', 'the request can be made without what was refused'],
    ['server', { repaired: true }, 'next-target', 'only a refusal names what it refuses'],
  ];
  for (const [failureClass, situation, step, why] of cases) it(`${failureClass} ${JSON.stringify(situation)}: ${step}, because ${why}`, () => {
    assert.equal(after(failureClass, situation), step);
  });

  it('tries another key only for failures of a key', () => {
    for (const failureClass of failureClasses) {
      const aboutKey = failureClass === 'auth' || failureClass === 'quota' || failureClass === 'rate-limit';
      assert.equal(after(failureClass, { anotherKey: true }) === 'next-key', aboutKey, failureClass);
    }
  });
});

describe('when nothing else is left', () => {
  it('a failure that may be brief is retried once', () => {
    assert.deepEqual(failureClasses.filter(one => retryableWhenNothingElse(one)).toSorted(), ['local', 'overloaded', 'server']);
    assert.deepEqual((['connection-failed', 'connection-lost', 'kept-connection-lost', 'connection-refused', 'no-address'] as const).filter(code => retryableWhenNothingElse('network', code)), ['connection-failed', 'connection-lost', 'kept-connection-lost']);
  });

  it('the caller receives the least final of the failures', () => {
    assert.equal(leastFinal(['auth', 'rate-limit', 'server']), 'rate-limit');
    assert.equal(leastFinal(['auth', 'quota', 'server']), 'server');
    assert.equal(leastFinal(['auth', 'quota']), 'quota');
    assert.equal(leastFinal(['auth']), 'auth');
    assert.equal(leastFinal([]), 'server');
    for (const failureClass of failureClasses) assert.equal(leastFinal([failureClass]), failureClass);
  });
});
