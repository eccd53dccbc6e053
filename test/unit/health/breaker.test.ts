import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureClasses, type FailureClass } from '../../../server/api/failure.ts';
import {
  breakerAdmission, countsForBreaker, forgiveLinkFailures, newBreaker, releaseTrial, settleBreaker, takeTrial, trialLeaseMs, type Breaker,
} from '../../../server/health/breaker.ts';

const config = { failures: 5, failureRate: 0.5, minimumAttempts: 10, windowMs: 600_000, openForMs: 60_000, maxOpenForMs: 600_000, halfOpenProbes: 3 };
const start = Date.UTC(2026, 0, 1);

function fail(breaker: Breaker, at: number, failureClass: FailureClass = 'network', trial = false): Breaker {
  return settleBreaker(breaker, config, { at, kind: 'traffic', trial, failureClass, message: 'connection refused' });
}
function succeed(breaker: Breaker, at: number, trial = false): Breaker {
  return settleBreaker(breaker, config, { at, kind: 'traffic', trial });
}
function probe(breaker: Breaker, at: number, failureClass?: FailureClass): Breaker {
  return settleBreaker(breaker, config, { at, kind: 'probe', trial: false, failureClass });
}
function openedAt(at: number, failureClass: FailureClass = 'network'): Breaker {
  let breaker = newBreaker();
  for (let index = 0; index < 5; index += 1) breaker = fail(breaker, at, failureClass);
  assert.equal(breaker.state, 'open');
  return breaker;
}
/** Lets the open time pass and one trial fail; gives back the breaker and how long it is open now. */
function failTrial(breaker: Breaker): { breaker: Breaker; openForMs: number; at: number } {
  assert.ok(breaker.state === 'open');
  const at = breaker.until;
  const next = fail(takeTrial(breaker, at), at, 'network', true);
  assert.ok(next.state === 'open');
  return { breaker: next, openForMs: next.until - at, at };
}

test('five failures in a row open the breaker, and the reason says why and for how long', () => {
  let breaker = newBreaker();
  for (let index = 0; index < 4; index += 1) breaker = fail(breaker, start);
  assert.equal(breaker.state, 'closed');
  breaker = fail(breaker, start);
  assert.deepEqual(breakerAdmission(breaker, 0, start + 36_000), {
    admitted: false, retryAt: start + 60_000, reason: 'breaker open after 5 failures (connection refused), next try in 24 s',
  });
});

test('a success between failures starts the count anew', () => {
  let breaker = newBreaker();
  for (let index = 0; index < 4; index += 1) breaker = fail(breaker, start);
  breaker = succeed(breaker, start);
  for (let index = 0; index < 4; index += 1) breaker = fail(breaker, start);
  assert.equal(breaker.state, 'closed');
});

test('more than half of the recent attempts failing opens the breaker even without five in a row', () => {
  let breaker = newBreaker();
  for (const ok of [false, false, true, false, false, true, false, false]) breaker = ok ? succeed(breaker, start) : fail(breaker, start);
  assert.equal(breaker.state, 'closed', 'eight samples are too few to judge');
  breaker = succeed(breaker, start);
  breaker = fail(breaker, start);
  assert.equal(breaker.state, 'open');
  const admission = breakerAdmission(breaker, 0, start);
  assert.ok(!admission.admitted);
  assert.match(admission.reason, /^breaker open after 7 of 10 recent attempts failed/);
});

test('failures older than ten minutes do not count for the error rate', () => {
  let breaker = newBreaker();
  for (const ok of [false, false, true, false, false, true, false, false]) breaker = ok ? succeed(breaker, start) : fail(breaker, start);
  const later = start + 11 * 60_000;
  breaker = succeed(breaker, later);
  breaker = fail(breaker, later);
  assert.equal(breaker.state, 'closed');
});

test('only failures of the endpoint itself count', () => {
  const counting: readonly FailureClass[] = ['network', 'timeout', 'server', 'overloaded'];
  for (const failureClass of failureClasses) {
    assert.equal(countsForBreaker(failureClass), counting.includes(failureClass), failureClass);
    let breaker = newBreaker();
    for (let index = 0; index < 50; index += 1) breaker = fail(breaker, start, failureClass);
    assert.equal(breaker.state, counting.includes(failureClass) ? 'open' : 'closed', failureClass);
  }
});

test('when its time is up one trial goes through and all others wait for it', () => {
  const breaker = openedAt(start);
  const now = start + 60_000;
  assert.deepEqual(breakerAdmission(breaker, 0, now), { admitted: true, trial: true });
  const trying = takeTrial(breaker, now);
  assert.equal(trying.state, 'half-open');
  assert.equal(breakerAdmission(trying, 1, now).admitted, false);
});

test('three trials that succeed close it, after which load is let in step by step', () => {
  let breaker = openedAt(start);
  let now = start + 60_000;
  for (let index = 0; index < 3; index += 1) {
    assert.deepEqual(breakerAdmission(breaker, 0, now), { admitted: true, trial: true });
    breaker = succeed(takeTrial(breaker, now), now + 500, true);
    now += 500;
  }
  assert.equal(breaker.state, 'closed');
  for (const [sinceMs, allowed] of [[0, 2], [2000, 4], [4000, 8], [6000, 16], [8000, 32]] as const) {
    assert.equal(breakerAdmission(breaker, allowed - 1, now + sinceMs).admitted, true);
    const refused = breakerAdmission(breaker, allowed, now + sinceMs);
    assert.ok(!refused.admitted);
    assert.equal(refused.retryAt, now + sinceMs + 2000);
  }
  assert.equal(breakerAdmission(breaker, 10_000, now + 10_000).admitted, true);
});

test('each trial that fails opens it for twice as long, up to ten times the setting and ten minutes', () => {
  let breaker = openedAt(start);
  const seen: number[] = [];
  for (let index = 0; index < 6; index += 1) {
    const next = failTrial(breaker);
    breaker = next.breaker;
    seen.push(next.openForMs / 1000);
  }
  assert.deepEqual(seen, [120, 240, 480, 600, 600, 600]);
});

test('closing resets the open time to the setting', () => {
  let breaker = failTrial(openedAt(start)).breaker;
  assert.ok(breaker.state === 'open');
  let now = breaker.until;
  for (let index = 0; index < 3; index += 1) breaker = succeed(takeTrial(breaker, now), ++now, true);
  assert.equal(breaker.state, 'closed');
  for (let index = 0; index < 5; index += 1) breaker = fail(breaker, now);
  assert.ok(breaker.state === 'open');
  assert.equal(breaker.until - now, 60_000);
});

test('a trial that proves nothing frees its place for the next at once', () => {
  for (const failureClass of ['bad-request', 'rate-limit', 'cancelled'] as const) {
    const now = start + 60_000;
    const breaker = fail(takeTrial(openedAt(start), now), now, failureClass, true);
    assert.deepEqual(breakerAdmission(breaker, 0, now), { admitted: true, trial: true });
  }
  const released = releaseTrial(takeTrial(openedAt(start), start + 60_000));
  assert.equal(released.state, 'open');
  assert.deepEqual(breakerAdmission(released, 0, start + 60_000), { admitted: true, trial: true });
});

test('attempts from before the opening do not decide a trial', () => {
  const now = start + 60_000;
  const trying = takeTrial(openedAt(start), now);
  assert.equal(fail(trying, now), trying);
  assert.equal(succeed(trying, now), trying);
});

test('a probe that succeeds makes an open breaker half-open at once', () => {
  const breaker = probe(openedAt(start), start + 1000);
  assert.equal(breaker.state, 'half-open');
  assert.deepEqual(breakerAdmission(breaker, 0, start + 1000), { admitted: true, trial: true });
});

test('probes close a breaker that opened because nothing could be reached, and not one that opened on bad answers', () => {
  for (const [failureClass, state] of [['network', 'closed'], ['timeout', 'closed'], ['server', 'half-open'], ['overloaded', 'half-open']] as const) {
    let breaker = openedAt(start, failureClass);
    for (let index = 1; index <= 4; index += 1) breaker = probe(breaker, start + index);
    assert.equal(breaker.state, state, failureClass);
  }
});

test('a probe that fails leaves an open breaker as it is and opens a half-open one again', () => {
  const open = openedAt(start);
  assert.equal(probe(open, start + 1, 'network'), open);
  const reopened = probe(probe(open, start + 1), start + 2, 'network');
  assert.ok(reopened.state === 'open');
  assert.equal(reopened.until, start + 2 + 120_000);
});

test('a trial nobody ever ended does not shut the endpoint out for good', () => {
  const trying = takeTrial(openedAt(start), start + 60_000);
  assert.equal(breakerAdmission(trying, 0, start + 60_000 + trialLeaseMs - 1).admitted, false);
  assert.deepEqual(breakerAdmission(trying, 0, start + 60_000 + trialLeaseMs), { admitted: true, trial: true });
});

test('a state written down and read back behaves the same', () => {
  for (const breaker of [newBreaker(), openedAt(start), takeTrial(openedAt(start), start + 60_000)]) {
    const read = JSON.parse(JSON.stringify(breaker)) as Breaker;
    assert.deepEqual(breakerAdmission(read, 0, start + 61_000), breakerAdmission(breaker, 0, start + 61_000));
    assert.deepEqual(fail(read, start + 61_000, 'server', true), fail(breaker, start + 61_000, 'server', true));
  }
});

test('what the link of the machine did is taken back, what the endpoint did is not', () => {
  assert.equal(forgiveLinkFailures(openedAt(start), start).state, 'closed');
  assert.equal(forgiveLinkFailures(openedAt(start), start + 1).state, 'open', 'it opened before the link went');
  assert.equal(forgiveLinkFailures(openedAt(start, 'server'), start).state, 'open');
  const again = failTrial(openedAt(start));
  const forgiven = forgiveLinkFailures(again.breaker, again.at);
  assert.deepEqual(breakerAdmission(forgiven, 0, again.at), { admitted: true, trial: true });
});

test('a clock set back does not keep the breaker open, and failures still count after it', () => {
  let breaker = openedAt(start);
  const earlier = start - 3_600_000;
  assert.deepEqual(breakerAdmission(breaker, 0, earlier), { admitted: true, trial: true });
  for (let index = 0; index < config.halfOpenProbes; index += 1) breaker = succeed(takeTrial(breaker, earlier), earlier, true);
  assert.equal(breaker.state, 'closed');
  for (let index = 0; index < config.failures; index += 1) breaker = fail(breaker, earlier - 3_600_000);
  assert.equal(breaker.state, 'open');
});
