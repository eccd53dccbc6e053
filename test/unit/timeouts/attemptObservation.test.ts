import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureCodes } from '../../../server/base/failureCodes.ts';
import { observationOf } from '../../../server/timeouts/attemptObservation.ts';
import { anAttempt, noon } from '../ledger/receipts.ts';

const measured = { connectMs: 30, headersMs: 120, firstTokenMs: 250, longestGapMs: 80, totalMs: 2_250, kind: 'fast' as const };
const about = { endpoint: 'openai', model: 'gpt-4.1', kind: 'fast', stream: true, at: noon + 2_250 };

describe('what is learnt from an attempt', () => {
  it('is every measurement of a successful attempt', () => {
    assert.deepEqual(observationOf(anAttempt({ ...measured, usage: { inputTokens: 10, outputTokens: 140, reasoningTokens: 40 } }), true), {
      ...about, connectMs: 30, headersMs: 120, firstTokenMs: 250, longestGapMs: 80, tokensPerSecond: 50, timedOut: undefined,
    });
  });

  it('reads an absent kind as the normal one', () => {
    const { kind: _kind, ...older } = measured;
    assert.equal(observationOf(anAttempt(older), true)?.kind, 'normal');
  });

  it('has no speed when too little was written, or when it was only estimated', () => {
    assert.equal(observationOf(anAttempt({ ...measured, usage: { outputTokens: 5 } }), true)?.tokensPerSecond, undefined);
    assert.equal(observationOf(anAttempt({ ...measured, totalMs: 600, usage: { outputTokens: 500 } }), true)?.tokensPerSecond, undefined);
    assert.equal(observationOf(anAttempt({ ...measured, usage: { outputTokens: 500 }, usageEstimated: true }), true)?.tokensPerSecond, undefined);
    assert.equal(observationOf(anAttempt({ ...measured, usage: {} }), true, { tokensPerSecond: 33 })?.tokensPerSecond, 33);
  });

  it('is nothing for fire drills, for attempts that a caller cancelled, and for attempts that a crash ended', () => {
    assert.equal(observationOf(anAttempt({ ...measured, drill: true }), true), undefined);
    assert.equal(observationOf(anAttempt({ ...measured, outcome: 'cancelled', failureClass: 'cancelled' }), true), undefined);
    assert.equal(observationOf(anAttempt({ ...measured, outcome: 'interrupted' }), true), undefined);
  });

  it('is a lower bound of the first token where another attempt was faster', () => {
    const lost = anAttempt({ ...measured, outcome: 'cancelled', failureClass: 'cancelled', firstTokenMs: undefined });
    assert.deepEqual(observationOf(lost, true, { beaten: true }), { ...about, connectMs: 30, headersMs: 120, atLeastFirstTokenMs: 2_250 });
  });

  it('is a lower bound of the time that the expired timer measures', () => {
    const silent = anAttempt({ ...measured, outcome: 'failed', failureClass: 'timeout', firstTokenMs: undefined, headersMs: undefined, connectMs: undefined });
    assert.deepEqual(observationOf(silent, true, { timedOut: 'connect' }), { ...about, connectMs: 2_250, timedOut: 'connect' });
    assert.deepEqual(observationOf(silent, true, { timedOut: 'headers' }), { ...about, connectMs: undefined, headersMs: 2_250, timedOut: 'headers' });
    assert.deepEqual(observationOf({ ...silent, headersMs: 90 }, true, { timedOut: 'first-token' }), {
      ...about, connectMs: undefined, headersMs: 90, firstTokenMs: 2_250, timedOut: 'first-token',
    });
  });

  it('keeps the measurements from before an answer broke', () => {
    const broken = anAttempt({ ...measured, outcome: 'failed', failureClass: 'server', usage: {} });
    assert.deepEqual(observationOf(broken, true), { ...about, connectMs: 30, headersMs: 120, firstTokenMs: 250, longestGapMs: 80, tokensPerSecond: undefined, timedOut: undefined });
  });

  it('does not count the speed of an error as that of an answer', () => {
    const refused = anAttempt({ ...measured, outcome: 'failed', failureClass: 'rate-limit', status: 429, firstTokenMs: undefined });
    assert.deepEqual(observationOf(refused, true), { ...about, connectMs: 30 });
    const { connectMs: _connectMs, ...kept } = refused;
    assert.equal(observationOf(kept, true), undefined);
  });

  it('names the timer behind a failure', () => {
    assert.deepEqual((['connect-timeout', 'headers-timeout', 'first-token-timeout', 'idle-timeout', 'too-slow', 'total-timeout', 'stream-cut'] as const).map(code => failureCodes[code].timer),
      ['connect', 'headers', 'first-token', 'idle', 'throughput', 'total', undefined]);
  });
});
