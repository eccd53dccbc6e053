import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, doublingMs } from '../../../../server/health/breaker/backoff.ts';
import { failureWords, waitWords } from '../../../../server/health/wording.ts';

test('the ceiling of the backoff doubles up to its cap and never overflows', () => {
  const limits = { baseMs: 500, capMs: 8000 };
  assert.deepEqual([1, 2, 3, 4, 5, 6, 5000].map((attempt) => doublingMs(attempt, limits)), [500, 1000, 2000, 4000, 8000, 8000, 8000]);
});

test('full jitter spreads waits from nothing up to the ceiling', () => {
  const limits = { baseMs: 500, capMs: 8000 };
  assert.equal(backoffMs(3, limits, () => 0), 0);
  assert.equal(backoffMs(3, limits, () => 0.5), 1000);
  assert.equal(backoffMs(3, limits, () => 0.9999), 1999);
});

test('waits are said in words a person would use', () => {
  assert.deepEqual([0, 1, 1000, 1001, 99_000, 100_000, 600_000, 86_400_000].map(waitWords), ['1 s', '1 s', '1 s', '2 s', '99 s', '2 min', '10 min', '24 h']);
});

test('a failure is named by its message on one short line, or by its class', () => {
  assert.equal(failureWords('network', 'connection\n refused.'), 'connection refused');
  assert.equal(failureWords('timeout', undefined), 'no answer in time');
  assert.equal(failureWords('server', 'x'.repeat(500)).length, 80);
});
