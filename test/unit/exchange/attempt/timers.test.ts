import assert from 'node:assert/strict';
import { describe, it, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WaybillError } from '../../../../server/base/failure.ts';
import type { Timeouts } from '../../../../server/config/config.ts';
import { AttemptTimers } from '../../../../server/exchange/attempt/timers.ts';
import { mockClock } from './mockClock.ts';

const long: Timeouts = { connectMs: 60_000, headersMs: 60_000, bufferedHeadersMs: 60_000, firstTokenMs: 60_000, idleMs: 60_000, totalMs: 600_000, minTokensPerSecond: 0 };

interface Started { timers: AttemptTimers; errors: WaybillError[]; lingered(): number }

/** Timers of a request that has been sent. */
function started(t: TestContext, timeouts: Timeouts = long): Started {
  const errors: WaybillError[] = [];
  let lingered = 0;
  const timers = new AttemptTimers({ onExpired: error => void errors.push(error), onLingered: () => { lingered += 1; } }, timeouts, true, 'relay');
  t.after(() => timers.stop());
  timers.start();
  return { timers, errors, lingered: () => lingered };
}

/** Timers of an answer whose first content has arrived. */
function answering(t: TestContext): Started {
  const one = started(t);
  one.timers.awaitContent();
  one.timers.contentArrived();
  return one;
}

test('a pause that a slow caller causes does not count as silence of the provider', async (t) => {
  const { timers } = answering(t);
  timers.observe(true, 10);
  timers.pause();
  await sleep(60);
  timers.pause();
  timers.resume();
  timers.observe(true, 20);
  assert.ok((timers.longestGapMs ?? 0) < 50, String(timers.longestGapMs));
  assert.ok(timers.contentMs < 50, String(timers.contentMs));
});

test('later bytes do not keep a complete answer open, and no timer ends it as a failure', (t) => {
  const clock = mockClock(t);
  const { timers, errors, lingered } = answering(t);
  for (let waited = 0; waited < 1500; waited += 500) {
    timers.linger(1500);
    clock.tick(500);
    timers.observe(false, 10);
  }
  assert.equal(lingered(), 1);
  clock.tick(600_000);
  assert.deepEqual([lingered(), errors], [1, []]);
});

test('the wait for the explanation of a refusal is shorter than the wait for an answer', (t) => {
  const clock = mockClock(t);
  const { timers, errors } = started(t);
  timers.awaitExplanation();
  clock.tick(5001);
  assert.deepEqual(errors.map(error => error.code), ['first-token-timeout']);
});

describe('a timer that expires names itself and its length', () => {
  const short: Timeouts = { ...long, headersMs: 1000, bufferedHeadersMs: 2500, firstTokenMs: 900, idleMs: 30_000 };
  const cases: [what: string, prepare: (timers: AttemptTimers) => void, code: string, message: string][] = [
    ['no headers', () => { /* they are awaited from the start */ }, 'headers-timeout', 'relay took the request and sent nothing back within 1 s.'],
    ['no content', timers => timers.awaitContent(), 'first-token-timeout', 'relay sent nothing to read within 900 ms.'],
    ['no explanation', timers => timers.awaitExplanation(), 'first-token-timeout', 'relay did not explain its refusal within 900 ms.'],
    ['no whole answer', timers => timers.awaitWhole(), 'first-token-timeout', 'relay sent nothing to read within 2.5 s.'],
    ['no further content', timers => timers.contentArrived(), 'idle-timeout', 'relay stalled in mid-answer for 30 s.'],
  ];
  for (const [what, prepare, code, message] of cases) it(what, t => {
    const clock = mockClock(t);
    const { timers, errors } = started(t, short);
    prepare(timers);
    clock.tick(30_001);
    assert.deepEqual(errors.map(error => [error.code, error.failureClass, error.message]), [[code, 'timeout', message]]);
  });

  it('no end', t => {
    const clock = mockClock(t);
    const { errors } = started(t, { ...long, headersMs: 700_000 });
    clock.tick(600_001);
    assert.deepEqual(errors.map(error => [error.code, error.message]), [['total-timeout', 'relay did not finish its answer within 600 s.']]);
  });
});

describe('one timer watches all deadlines', () => {
  const timeouts: Timeouts = { ...long, headersMs: 10_000, firstTokenMs: 30_000, idleMs: 5_000, totalMs: 60_000 };

  it('a deadline that moves with each piece of content expires so long after the last one', t => {
    const clock = mockClock(t);
    const { timers, errors } = started(t, timeouts);
    clock.tick(9_000);
    timers.awaitContent();
    clock.tick(29_000);
    timers.contentArrived();
    for (let piece = 1; piece <= 4; piece += 1) {
      clock.tick(4_000);
      timers.observe(true, piece);
    }
    clock.tick(4_900);
    assert.equal(errors.length, 0);
    clock.tick(200);
    assert.deepEqual(errors.map(error => error.code), ['idle-timeout']);
  });

  it('a later deadline replaces an earlier one without its timer firing as a failure', t => {
    const clock = mockClock(t);
    const { timers, errors } = started(t, timeouts);
    timers.awaitContent();
    clock.tick(29_000);
    assert.equal(errors.length, 0);
    clock.tick(1_100);
    assert.deepEqual(errors.map(error => error.code), ['first-token-timeout']);
  });

  it('the total ends an answer that flows', t => {
    const clock = mockClock(t);
    const { timers, errors } = started(t, timeouts);
    timers.contentArrived();
    for (let piece = 1; piece <= 14; piece += 1) {
      clock.tick(4_000);
      timers.observe(true, piece);
    }
    assert.equal(errors.length, 0);
    clock.tick(4_100);
    assert.deepEqual(errors.map(error => error.code), ['total-timeout']);
  });

  it('what a slow caller holds up is overdue only so long after the caller reads on', t => {
    const clock = mockClock(t);
    const { timers, errors } = started(t, timeouts);
    timers.contentArrived();
    timers.pause();
    clock.tick(20_000);
    timers.resume();
    clock.tick(4_900);
    assert.equal(errors.length, 0);
    clock.tick(200);
    assert.deepEqual(errors.map(error => error.code), ['idle-timeout']);
  });

  it('nothing fires after the end', t => {
    const clock = mockClock(t);
    const { timers, errors, lingered } = started(t, timeouts);
    timers.contentArrived();
    timers.stop();
    timers.observe(true, 1);
    timers.resume();
    clock.tick(100_000);
    assert.deepEqual([errors, lingered()], [[], 0]);
  });
});
