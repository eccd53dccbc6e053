import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WaybillError } from '../../../../server/base/failure.ts';
import type { FailureCode } from '../../../../server/base/failureCodes.ts';
import type { AttemptFigures } from '../../../../server/exchange/answer/usageMeter.ts';
import type { AttemptEnd } from '../../../../server/exchange/attempt/machine.ts';
import { attemptRecord, settleUsage, wasNeverSent, type StartedAttempt } from '../../../../server/exchange/attempt/record.ts';

const ok: AttemptEnd = { kind: 'ok', reason: 'end' };
const failed: AttemptEnd = { kind: 'failed', error: new WaybillError('stream-cut', 'server', 'It broke.', { status: 200 }), begun: true };

function figures(usage: AttemptFigures['usage'], generatedChars: number, more: Partial<AttemptFigures> = {}): AttemptFigures {
  return { usage, generatedChars, contradictory: false, status: 200, headersMs: 5, firstTokenMs: 9, ...more };
}

describe('what an attempt used', () => {
  it('is what the provider counted, when the answer is whole', () => {
    const usage = { inputTokens: 10, cacheReadTokens: 3, outputTokens: 20 };
    assert.deepEqual(settleUsage(figures(usage, 80), ok, 99), { usage, estimated: false });
  });

  it('is estimated from lengths where the provider reports no count', () => {
    assert.deepEqual(settleUsage(figures({}, 42), ok, 99), { usage: { inputTokens: 99, outputTokens: 11 }, estimated: true });
  });

  it('is nothing for an attempt without an answer', () => {
    assert.deepEqual(settleUsage(figures({}, 0), failed, 99), { usage: {}, estimated: false });
    assert.deepEqual(settleUsage(figures({}, 0), undefined, 99), { usage: {}, estimated: false });
  });

  it('keeps the counts of a broken or cancelled answer, and marks them as an estimate', () => {
    assert.deepEqual(settleUsage(figures({ inputTokens: 10, outputTokens: 1 }, 400), failed, 99), { usage: { inputTokens: 10, outputTokens: 100 }, estimated: true });
    assert.deepEqual(settleUsage(figures({ inputTokens: 10, outputTokens: 500 }, 400), undefined, 99), { usage: { inputTokens: 10, outputTokens: 500 }, estimated: true });
  });

  it('counts a prompt that was read from the cache as known', () => {
    assert.deepEqual(settleUsage(figures({ cacheReadTokens: 7, outputTokens: 2 }, 8), ok, 99), { usage: { cacheReadTokens: 7, outputTokens: 2 }, estimated: false });
  });

  it('rejects a count that is far too small for the text, and figures that contradict each other', () => {
    assert.deepEqual(settleUsage(figures({ inputTokens: 10, outputTokens: 1 }, 4000), ok, 99), { usage: { inputTokens: 10, outputTokens: 1000 }, estimated: true });
    assert.equal(settleUsage(figures({ inputTokens: 10, outputTokens: 20 }, 80, { contradictory: true }), ok, 99).estimated, true);
  });
});

describe('the record of an attempt', () => {
  const started: StartedAttempt = { number: 2, target: 'a/m', endpoint: 'a', model: 'm', upstreamModel: 'M', protocol: 'openai-chat', keyLabel: 'work', keyLast4: '1234', startedAt: 1000 };
  const settled = { usage: { outputTokens: 1 }, estimated: true };

  it('says how it ended', () => {
    const record = (end: Parameters<typeof attemptRecord>[3]): unknown[] => {
      const { outcome, failureClass, message } = attemptRecord(started, figures({}, 0), 12, end, settled);
      return [outcome, failureClass, message];
    };
    assert.deepEqual(record(ok), ['ok', undefined, undefined]);
    assert.deepEqual(record(failed), ['failed', 'server', 'It broke.']);
    assert.deepEqual(record('cancelled'), ['cancelled', 'cancelled', undefined]);
    assert.deepEqual(record('open'), ['interrupted', undefined, undefined]);
  });

  it('says that a request was never sent only when no connection was made', () => {
    const neverSent = (code: FailureCode, more: Partial<AttemptFigures> = { status: undefined, headersMs: undefined }): boolean =>
      wasNeverSent({ kind: 'failed', error: new WaybillError(code, 'network', 'It failed.'), begun: false }, figures({}, 0, more));
    for (const code of ['connection-refused', 'no-address', 'certificate', 'connect-timeout', 'unreachable', 'shutting-down', 'connection-failed', 'not-tls', 'tls-failed', 'own-limit'] as const) assert.equal(neverSent(code), true, code);
    for (const code of ['connection-reset', 'connection-lost', 'headers-timeout', 'stream-cut', 'not-http', 'empty-answer'] as const) assert.equal(neverSent(code), false, code);
    assert.equal(neverSent('unreachable', { status: 200, headersMs: 4 }), false);
    assert.equal(wasNeverSent('cancelled', figures({}, 0, { status: undefined, headersMs: undefined })), false);
  });

  it('holds the facts known at its start, its timings and its usage', () => {
    const record = attemptRecord(started, figures({}, 0), 12, ok, settled);
    for (const [name, value] of Object.entries(started)) assert.deepEqual(record[name as keyof typeof record], value);
    assert.deepEqual([record.headersMs, record.firstTokenMs, record.totalMs, record.status, record.usageEstimated], [5, 9, 12, 200, true]);
    assert.deepEqual(record.cost, { certainty: 'unknown' });
  });
});
