import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheHitShare, formatDay, formatDuration, formatListTime, formatShare, formatTokens, tokenFigures, totalTokens } from '../../../../client/base/figures.ts';

test('durations are rounded to what a person can use', () => {
  const cases: [number, string][] = [
    [0, '0 ms'], [840.4, '840 ms'], [999.4, '999 ms'], [999.6, '1.0 s'], [1_249, '1.2 s'], [9_949, '9.9 s'], [9_960, '10 s'], [14_400, '14 s'],
    [59_400, '59 s'], [59_600, '1 min 0 s'], [125_000, '2 min 5 s'], [3_780_000, '1 h 3 min'],
  ];
  for (const [milliseconds, text] of cases) assert.equal(formatDuration(milliseconds), text, String(milliseconds));
});

test('token counts are shortened without ever reading 1000K', () => {
  const cases: [number | undefined, string][] = [
    [undefined, '–'], [0, '0'], [532, '532'], [999, '999'], [1_000, '1.0K'], [1_249, '1.2K'], [9_960, '10K'], [45_400, '45K'], [999_400, '999K'],
    [999_600, '1.0M'], [1_230_000, '1.2M'], [45_000_000, '45M'], [2_000_000_000, '2.0B'],
  ];
  for (const [count, text] of cases) assert.equal(formatTokens(count), text, String(count));
});

test('a share close to none or all does not claim to be none or all', () => {
  assert.deepEqual([0, 0.004, 0.5, 0.996, 1].map(formatShare), ['0%', '<1%', '50%', '>99%', '100%']);
});

test('the cache hit share is of the whole prompt, and unknown without both counts', () => {
  assert.equal(cacheHitShare({ inputTokens: 10, cacheReadTokens: 60, cacheWriteTokens: 20, cacheWrite1hTokens: 10 }), 0.6);
  assert.equal(cacheHitShare({ inputTokens: 40, cacheReadTokens: 60 }), 0.6);
  assert.equal(cacheHitShare({ inputTokens: 40, cacheReadTokens: 0 }), 0);
  assert.equal(cacheHitShare({ inputTokens: 40 }), undefined);
  assert.equal(cacheHitShare({ inputTokens: 0, cacheReadTokens: 0 }), undefined);
});

test('reasoning is part of output and is not counted twice', () => {
  assert.equal(totalTokens({ inputTokens: 1, cacheReadTokens: 2, cacheWriteTokens: 3, cacheWrite1hTokens: 4, outputTokens: 5, reasoningTokens: 5 }), 15);
  assert.equal(totalTokens({}), undefined);
});

test('fresh, cached and output are always listed, other buckets only where they occur', () => {
  assert.deepEqual(tokenFigures({ inputTokens: 1234 }).map(({ label, text, exact }) => [label, text, exact]), [
    ['Fresh input', '1.2K', '1,234'], ['From cache', '–', 'unknown'], ['Output', '–', 'unknown'],
  ]);
  assert.deepEqual(tokenFigures({ cacheWriteTokens: 1, cacheWrite1hTokens: 2, reasoningTokens: 3 }).map(({ label }) => label), [
    'Fresh input', 'From cache', 'Written to cache', 'Written to 1 h cache', 'Output', 'Reasoning (in output)',
  ]);
});

test('a list shows the time today and the date on other days', () => {
  const style = { locale: 'en-GB', timeZone: 'Europe/Berlin' };
  const now = Date.UTC(2026, 10, 20, 14, 0);
  assert.equal(formatListTime(Date.UTC(2026, 10, 20, 13, 5), now, style), '14:05');
  // Still the 19th in UTC, already the 20th in Berlin.
  assert.match(formatListTime(Date.UTC(2026, 10, 19, 23, 30), now, style), /^0?0:30$/);
  assert.match(formatListTime(Date.UTC(2026, 10, 19, 12, 0), now, style), /19 Nov.*13:00/);
});

test('a calendar day stays itself in every time zone', () => {
  assert.equal(formatDay('2026-11-20', 'short', { locale: 'en-US', timeZone: 'Pacific/Honolulu' }), 'Nov 20');
  assert.equal(formatDay('2026-11-20', 'long', { locale: 'en-US' }), 'Fri, Nov 20');
});
