import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs, momentInWordsMs, parseRetryAfter, waitInWordsMs } from '../../../../server/base/headers/retryAfter.ts';
import type { ResponseHeaders } from '../../../../server/base/headers/responseHeaders.ts';

const now = Date.UTC(2026, 10, 20, 12, 0, 0);

const cases: [string, ResponseHeaders, number | undefined][] = [
  ['no header', {}, undefined],
  ['milliseconds', { 'retry-after-ms': '1500' }, 1500],
  ['milliseconds before seconds', { 'retry-after': '2', 'retry-after-ms': '1500' }, 1500],
  ['seconds', { 'retry-after': '12' }, 12_000],
  ['decimal seconds', { 'retry-after': '0.25' }, 250],
  ['zero', { 'retry-after': '0' }, 0],
  ['any case of the name', { 'Retry-After': '3' }, 3000],
  ['the longest of a repeated header', { 'retry-after': ['4', '9'] }, 9000],
  ['the longer of seconds and milliseconds that do not mean the same', { 'retry-after': '9', 'retry-after-ms': '1500' }, 9000],
  ['milliseconds that are longer than the seconds', { 'retry-after': '1', 'retry-after-ms': '61000' }, 61_000],
  ['a name with a prefix', { 'x-ratelimit-retry-after': '8' }, 8000],
  ['an epoch time', { 'retry-after': String(now / 1000 + 8) }, 8000],
  ['a duration', { 'retry-after': '34s' }, 34_000],
  ['an HTTP date', { 'retry-after': 'Fri, 20 Nov 2026 12:00:30 GMT' }, 30_000],
  ['an HTTP date in the past', { 'retry-after': 'Fri, 20 Nov 2026 11:00:00 GMT' }, 0],
  ['the old date form without a zone', { 'retry-after': 'Fri Nov 20 12:01:00 2026' }, 60_000],
  ['the obsolete date form with two figures for the year', { 'retry-after': 'Friday, 20-Nov-26 12:02:00 GMT' }, 120_000],
  ['an obsolete date whose year was in the last century', { 'retry-after': 'Sunday, 06-Nov-94 08:49:37 GMT' }, 0],
  ['an RFC 3339 moment', { 'retry-after': '2026-11-20T12:00:09Z' }, 9000],
  ['a negative number', { 'retry-after': '-1' }, undefined],
  ['nonsense', { 'retry-after': 'soon' }, undefined],
  ['nonsense beside a reset', { 'retry-after': 'soon', 'x-ratelimit-reset-requests': '12ms' }, 12],
  ['a minutes duration', { 'x-ratelimit-reset-tokens': '6m0s' }, 360_000],
  ['a duration with a fraction', { 'x-ratelimit-reset-tokens': '2m59.56s' }, 179_560],
  ['the reset of what is used up, not of what is left',
    { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '20s', 'x-ratelimit-remaining-tokens': '900', 'x-ratelimit-reset-tokens': '6m0s' }, 20_000],
  ['the longest of several', { 'x-ratelimit-reset-requests': '20s', 'x-ratelimit-reset-tokens': '1m1s' }, 61_000],
  ['retry-after wins over resets', { 'retry-after': '1', 'x-ratelimit-reset-requests': '1h0m0s' }, 1000],
  ['resets of rate windows that still allow requests',
    { 'anthropic-ratelimit-unified-5h-status': 'allowed_warning', 'anthropic-ratelimit-unified-5h-reset': String(now / 1000 + 9000) }, undefined],
  ['the reset of the rate window that refuses',
    { 'anthropic-ratelimit-unified-5h-status': 'rejected', 'anthropic-ratelimit-unified-5h-reset': String(now / 1000 + 900), 'anthropic-ratelimit-unified-7d-status': 'allowed', 'anthropic-ratelimit-unified-7d-reset': String(now / 1000 + 9000) }, 900_000],
  ['a reset of -1', { 'x-ratelimit-reset-tokens': '-1' }, undefined],
  ['plain seconds', { 'x-ratelimit-reset': '7' }, 7000],
  ['epoch seconds', { 'x-ratelimit-reset': String(now / 1000 + 5) }, 5000],
  ['epoch milliseconds', { 'x-ratelimit-reset': String(now + 5000) }, 5000],
  ['an RFC 3339 reset with nothing remaining', { 'anthropic-ratelimit-requests-remaining': '0', 'anthropic-ratelimit-requests-reset': '2026-11-20T12:00:40Z' }, 40_000],
  ['an RFC 3339 reset with something remaining', { 'anthropic-ratelimit-requests-remaining': '3', 'anthropic-ratelimit-requests-reset': '2026-11-20T12:00:40Z' }, undefined],
  ['an RFC 3339 reset that does not say what remains', { 'anthropic-ratelimit-tokens-reset': '2026-11-20T12:00:40Z' }, undefined],
];

const absurd: readonly string[] = [
  '99999999999999999999', '9999999999', '1e300', '1e9', 'Infinity', 'NaN', '-5', '0x10', '99999d', '99999999999999999999999999999999999999s', '31622401',
  'Fri, 20 Nov 9999 12:00:30 GMT', '9999-12-31T23:59:59Z', '+275760-09-13T00:00:00Z', String.raw`\u0000`, ' ', '9'.repeat(100_000),
];
for (const text of absurd) {
  test(`a wait of "${text.slice(0, 40)}" counts as not said`, () => {
    for (const name of ['retry-after', 'retry-after-ms', 'x-ratelimit-reset-requests']) {
      const waitMs = parseRetryAfter({ [name]: text }, now);
      assert.ok(waitMs === undefined || (Number.isInteger(waitMs) && waitMs >= 0 && waitMs <= 366 * 86_400_000), `${name}: ${waitMs}`);
    }
    assert.equal(parseRetryAfter({ 'retry-after': text }, now), undefined);
  });
}

for (const [what, headers, expected] of cases) {
  test(`the wait a provider asks for is read from ${what}`, () => {
    assert.equal(parseRetryAfter(headers, now), expected);
  });
}

test('a duration is read only when the whole text is one', () => {
  assert.equal(durationMs('1h2m3s'), 3_723_000);
  for (const text of ['', '5', 's', '5 s', '5s!', '5x', '1'.repeat(50) + 's']) assert.equal(durationMs(text), undefined);
});

const sentences: [string, number | undefined][] = [
  ['Rate limit reached for m on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.', 2000],
  ['Please try again in 6m0s. Visit the page to learn more.', 360_000],
  ['Please try again in 1h2m3.5s', 3_723_500],
  ['Please try again in 120ms.', 120],
  ['Please retry in 34.074824224s.', 34_075],
  ['Requests have exceeded the call rate limit. Please retry after 6 seconds.', 6000],
  ['Too many requests, try again after 1 minute', 60_000],
  ['Please wait 20 seconds before you retry in 30 seconds', 30_000],
  ['Try again in 2 hours', 7_200_000],
  ['try again in 5', undefined],
  ['try again in a while', undefined],
  ['We retry 3 requests', undefined],
  ['', undefined],
];
for (const [sentence, expected] of sentences) {
  test(`the wait in "${sentence}" is ${expected === undefined ? 'none' : `${expected} ms`}`, () => {
    assert.equal(waitInWordsMs(sentence), expected);
  });
}

const at = Date.UTC(2026, 4, 15, 12);
const moments: [string, number | undefined][] = [
  ['usage limit exceeded, 5-hour usage limit reached for Token Plan Starter (0/0 used), resets at 2026-05-15T15:00:00Z (2056)', 3 * 3_600_000],
  ['usage limit exceeded, weekly usage limit reached, resets at 2026-05-18T00:00:00+08:00 (2056)', 52 * 3_600_000],
  ['The limit resets on 2026-05-15 12:30 UTC.', 1_800_000],
  ['Please try again at 2026-05-15T12:00:01.5Z.', 1500],
  ['Not available until 2026-05-15T11:00:00Z', 0],
  ['try again after 2026-05-15T13:00:00Z, or retry at 2026-05-15T12:10:00Z', 3_600_000],
  // A moment without its zone is Beijing's at one provider and the world's at another.
  ['Your limit will reset at 2026-05-15 15:00:00', undefined],
  ['resets at 2026-99-99T99:99:99Z', undefined],
  ['the model was released on 2026-05-15T15:00:00Z', undefined],
  ['', undefined],
];
for (const [sentence, expected] of moments) {
  test(`the moment in "${sentence}" is ${expected === undefined ? 'none' : `${expected} ms away`}`, () => {
    assert.equal(momentInWordsMs(sentence, at), expected);
  });
}
