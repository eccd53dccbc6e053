import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureClasses, type FailureClass } from '../../../../server/api/failure.ts';
import {
  breakerAdmission, countsForBreaker, forgiveLinkFailures, newBreaker, releaseTrial, breakerAfter, takeTrial, trialLeaseMs, type Breaker,
} from '../../../../server/health/breaker/breaker.ts';
import { seededRandom } from '../../support/seededRandom.ts';

const config = { failures: 5, failureRate: 0.5, minimumAttempts: 10, windowMs: 600_000, openForMs: 60_000, maxOpenForMs: 600_000, halfOpenProbes: 3 };
const start = Date.UTC(2026, 0, 1);

function fail(breaker: Breaker, at: number, failureClass: FailureClass = 'network', trial = false): Breaker {
  return breakerAfter(breaker, config, { at, kind: 'traffic', trial, failureClass, message: 'connection refused' });
}
function succeed(breaker: Breaker, at: number, trial = false): Breaker {
  return breakerAfter(breaker, config, { at, kind: 'traffic', trial });
}
function probe(breaker: Breaker, at: number, failureClass?: FailureClass): Breaker {
  return breakerAfter(breaker, config, { at, kind: 'probe', trial: false, failureClass });
}
function openedAt(at: number, failureClass: FailureClass = 'network'): Breaker {
  let breaker = newBreaker();
  for (let index = 0; index < 5; index += 1) breaker = fail(breaker, at, failureClass);
  assert.equal(breaker.state, 'open');
  return breaker;
}
/** Lets the open time pass and one trial fail. @returns the breaker and its new open time */
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

test('a success between failures restarts the count', () => {
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

test('failures older than the sliding window do not count for the error rate', () => {
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

test('after the open time one trial is admitted and all others wait for it', () => {
  const breaker = openedAt(start);
  const now = start + 60_000;
  assert.deepEqual(breakerAdmission(breaker, 0, now), { admitted: true, trial: true });
  const trying = takeTrial(breaker, now);
  assert.equal(trying.state, 'half-open');
  assert.equal(breakerAdmission(trying, 1, now).admitted, false);
});

test('three successful trials close it, and load is then admitted in steps', () => {
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

test('each trial that fails opens it for twice as long, up to the longest time set', () => {
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

test('a trial without an outcome frees its slot for the next at once', () => {
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

test('a trial that never ends does not keep the breaker open for good', () => {
  const trying = takeTrial(openedAt(start), start + 60_000);
  assert.equal(breakerAdmission(trying, 0, start + 60_000 + trialLeaseMs - 1).admitted, false);
  assert.deepEqual(breakerAdmission(trying, 0, start + 60_000 + trialLeaseMs), { admitted: true, trial: true });
});

test('a stored state behaves the same when it is read back', () => {
  for (const breaker of [newBreaker(), openedAt(start), takeTrial(openedAt(start), start + 60_000)]) {
    const read = JSON.parse(JSON.stringify(breaker)) as Breaker;
    assert.deepEqual(breakerAdmission(read, 0, start + 61_000), breakerAdmission(breaker, 0, start + 61_000));
    assert.deepEqual(fail(read, start + 61_000, 'server', true), fail(breaker, start + 61_000, 'server', true));
  }
});

test('failures by the network of the machine are taken back, failures by the endpoint are not', () => {
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

function run(settings: Partial<typeof config>, outcomes: string, spacingMs = 0): Breaker {
  const chosen = { ...config, failures: 1000, ...settings };
  let breaker = newBreaker();
  [...outcomes].forEach((outcome, index) => {
    breaker = breakerAfter(breaker, chosen, { at: start + index * spacingMs, kind: 'traffic', trial: false, failureClass: outcome === 'x' ? 'server' : undefined });
  });
  return breaker;
}

test('the share of failures that opens it, the sample it takes and its sliding window are settings', () => {
  assert.equal(run({ failureRate: 0.2, minimumAttempts: 5 }, '...xx').state, 'open');
  assert.equal(run({ failureRate: 0.2, minimumAttempts: 6 }, '...xx').state, 'closed', 'too few to judge');
  assert.equal(run({ failureRate: 0.4, minimumAttempts: 5 }, '...xx').state, 'closed', 'the share itself is still allowed');
  assert.equal(run({ failureRate: 1, minimumAttempts: 4 }, 'xxxx').state, 'open', 'all of them failed');
  assert.equal(run({ failureRate: 1, minimumAttempts: 4 }, '.xxxx').state, 'closed');
  assert.equal(run({ failureRate: 0.5, minimumAttempts: 4, windowMs: 10_000 }, 'x.x.xx', 1000).state, 'open');
  assert.equal(run({ failureRate: 0.5, minimumAttempts: 4, windowMs: 2000 }, 'x.x.xx', 1000).state, 'closed', 'never four within two seconds');
});

test('a sliding window holds no outcome older than its length', () => {
  for (const windowMs of [1000, 12_345, 600_000]) {
    let breaker = newBreaker();
    const random = seededRandom(windowMs);
    const seen: number[] = [];
    let now = start;
    for (let index = 0; index < 2000; index += 1) {
      now += Math.floor(random() * windowMs / 20);
      seen.push(now);
      breaker = breakerAfter(breaker, { ...config, windowMs, failures: 1_000_000, failureRate: 1, minimumAttempts: 1_000_000 }, { at: now, kind: 'traffic', trial: false, failureClass: 'server' });
      assert.ok(breaker.state === 'closed' && breaker.spans.length <= 11);
      const counted = breaker.spans.reduce((sum, span) => sum + span.failures, 0);
      assert.ok(counted <= seen.filter(at => at > now - windowMs * 1.1).length);
      assert.ok(counted >= seen.filter(at => at > now - windowMs * 0.9).length);
    }
  }
});

test('a forced trial that fails before the open time ends changes only the rank of its target', () => {
  const open = openedAt(start, 'server');
  assert.ok(open.state === 'open');
  const back = fail(takeTrial(open, start + 1000), start + 1500, 'server', true);
  assert.deepEqual(back, { ...open, forcedFailures: 1 });
  const twice = fail(takeTrial(back, start + 2000), start + 2500, 'server', true);
  assert.deepEqual(twice, { ...open, forcedFailures: 2 });
  assert.deepEqual(releaseTrial(takeTrial(open, start + 1000)), open);
});

test('a forced trial that succeeds before the open time ends counts as a trial', () => {
  let breaker = openedAt(start);
  for (let index = 0; index < 3; index += 1) breaker = succeed(takeTrial(breaker, start + 1000), start + 1500, true);
  assert.equal(breaker.state, 'closed');
});

test('after a successful forced trial a failure opens the breaker for longer, as after any trial', () => {
  const halfway = succeed(takeTrial(openedAt(start), start + 1000), start + 1500, true);
  const reopened = fail(takeTrial(halfway, start + 2000), start + 2500, 'network', true);
  assert.ok(reopened.state === 'open');
  assert.equal(reopened.until, start + 2500 + 120_000);
});

test('in random sequences a breaker is never open for longer than the longest open time', () => {
  const classes: (FailureClass | undefined)[] = [undefined, 'network', 'server', 'timeout', 'overloaded', 'bad-request'];
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = seededRandom(seed);
    const chosen = { ...config, failures: 1 + Math.floor(random() * 4), openForMs: 1000, maxOpenForMs: 8000, halfOpenProbes: 1 + Math.floor(random() * 3) };
    let breaker = newBreaker();
    let trial = false;
    let now = start;
    let refusedSince: number | undefined;
    for (let step = 0; step < 300; step += 1) {
      now += Math.floor(random() * 700);
      const forced = random() < 0.1;
      const admission = breakerAdmission(breaker, 0, now);
      if (!trial && (admission.admitted ? admission.trial : forced && breaker.state !== 'closed')) {
        breaker = takeTrial(breaker, now);
        trial = true;
      } else if (trial && random() < 0.7) {
        breaker = random() < 0.2 ? releaseTrial(breaker) : breakerAfter(breaker, chosen, { at: now, kind: 'traffic', trial: true, failureClass: classes[Math.floor(random() * classes.length)] });
        trial = false;
      } else if (!trial && admission.admitted) {
        breaker = breakerAfter(breaker, chosen, { at: now, kind: 'traffic', trial: false, failureClass: classes[Math.floor(random() * classes.length)] });
      }
      if (trial || breakerAdmission(breaker, 0, now).admitted) refusedSince = undefined;
      else refusedSince ??= now;
      assert.ok(refusedSince === undefined || now - refusedSince <= 8000, `seed ${seed}, step ${step}`);
      if (breaker.state === 'open') assert.ok(breaker.until - breaker.openedAt <= 8000);
    }
  }
});
