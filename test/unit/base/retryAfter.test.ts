import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs, parseRetryAfter, type ResponseHeaders } from '../../../server/base/retryAfter.ts';

const now = Date.UTC(2026, 10, 20, 12, 0, 0);

const cases: [string, ResponseHeaders, number | undefined][] = [
  ['no header', {}, undefined],
  ['milliseconds', { 'retry-after-ms': '1500' }, 1500],
  ['milliseconds before seconds', { 'retry-after': '2', 'retry-after-ms': '1500' }, 1500],
  ['seconds', { 'retry-after': '12' }, 12_000],
  ['decimal seconds', { 'retry-after': '0.25' }, 250],
  ['zero', { 'retry-after': '0' }, 0],
  ['any case of the name', { 'Retry-After': '3' }, 3000],
  ['a repeated header', { 'retry-after': ['4', '9'] }, 4000],
  ['a duration', { 'retry-after': '34s' }, 34_000],
  ['an HTTP date', { 'retry-after': 'Fri, 20 Nov 2026 12:00:30 GMT' }, 30_000],
  ['an HTTP date in the past', { 'retry-after': 'Fri, 20 Nov 2026 11:00:00 GMT' }, 0],
  ['the old date form without a zone', { 'retry-after': 'Fri Nov 20 12:01:00 2026' }, 60_000],
  ['a negative number', { 'retry-after': '-1' }, undefined],
  ['nonsense', { 'retry-after': 'soon' }, undefined],
  ['nonsense beside a reset', { 'retry-after': 'soon', 'x-ratelimit-reset-requests': '12ms' }, 12],
  ['a minutes duration', { 'x-ratelimit-reset-tokens': '6m0s' }, 360_000],
  ['a duration with a fraction', { 'x-ratelimit-reset-tokens': '2m59.56s' }, 179_560],
  ['the reset of what is used up, not of what is left',
    { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '20s', 'x-ratelimit-remaining-tokens': '900', 'x-ratelimit-reset-tokens': '6m0s' }, 20_000],
  ['the longest of several', { 'x-ratelimit-reset-requests': '20s', 'x-ratelimit-reset-tokens': '1m1s' }, 61_000],
  ['retry-after wins over resets', { 'retry-after': '1', 'x-ratelimit-reset-requests': '1h0m0s' }, 1000],
  ['a reset of -1', { 'x-ratelimit-reset-tokens': '-1' }, undefined],
  ['plain seconds', { 'x-ratelimit-reset': '7' }, 7000],
  ['epoch seconds', { 'x-ratelimit-reset': String(now / 1000 + 5) }, 5000],
  ['epoch milliseconds', { 'x-ratelimit-reset': String(now + 5000) }, 5000],
  ['an RFC 3339 reset with nothing remaining', { 'anthropic-ratelimit-requests-remaining': '0', 'anthropic-ratelimit-requests-reset': '2026-11-20T12:00:40Z' }, 40_000],
  ['an RFC 3339 reset with something remaining', { 'anthropic-ratelimit-requests-remaining': '3', 'anthropic-ratelimit-requests-reset': '2026-11-20T12:00:40Z' }, undefined],
  ['an RFC 3339 reset that does not say what remains', { 'anthropic-ratelimit-tokens-reset': '2026-11-20T12:00:40Z' }, undefined],
];

for (const [what, headers, expected] of cases) {
  test(`the wait a provider asks for is read from ${what}`, () => {
    assert.equal(parseRetryAfter(headers, now), expected);
  });
}

test('a duration is read only when the whole text is one', () => {
  assert.equal(durationMs('1h2m3s'), 3_723_000);
  for (const text of ['', '5', 's', '5 s', '5s!', '5x', '1'.repeat(50) + 's']) assert.equal(durationMs(text), undefined);
});
