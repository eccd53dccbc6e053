import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRateHeaders, type ReportedLimits } from '../../../../server/base/headers/rateHeaders.ts';
import type { ResponseHeaders } from '../../../../server/base/headers/responseHeaders.ts';

const now = Date.UTC(2026, 10, 20, 12, 0, 0);

const cases: [string, ResponseHeaders, ReportedLimits | undefined][] = [
  ['nothing', { 'content-type': 'application/json', 'retry-after': '3' }, undefined],
  ['OpenAI', {
    'x-ratelimit-limit-requests': '60', 'x-ratelimit-remaining-requests': '59', 'x-ratelimit-reset-requests': '1s',
    'x-ratelimit-limit-tokens': '150000', 'x-ratelimit-remaining-tokens': '149984', 'x-ratelimit-reset-tokens': '6m0s',
  }, {
    requests: { limit: 60, remaining: 59, resetAt: now + 1000 },
    tokens: { limit: 150_000, remaining: 149_984, resetAt: now + 360_000 },
  }],
  ['Anthropic', {
    'anthropic-ratelimit-requests-limit': '50', 'anthropic-ratelimit-requests-remaining': '0', 'anthropic-ratelimit-requests-reset': '2026-11-20T12:00:40Z',
    'anthropic-ratelimit-input-tokens-limit': '30000', 'anthropic-ratelimit-input-tokens-remaining': '12000', 'anthropic-ratelimit-input-tokens-reset': '2026-11-20T12:00:36Z',
    'anthropic-ratelimit-output-tokens-limit': '8000', 'anthropic-ratelimit-output-tokens-remaining': '8000', 'anthropic-ratelimit-output-tokens-reset': '2026-11-20T11:59:59Z',
    'anthropic-ratelimit-tokens-limit': '38000', 'anthropic-ratelimit-tokens-remaining': '20000', 'anthropic-ratelimit-tokens-reset': '2026-11-20T12:00:36Z',
  }, {
    requests: { limit: 50, remaining: 0, resetAt: now + 40_000 },
    tokens: { limit: 38_000, remaining: 20_000, resetAt: now + 36_000 },
    inputTokens: { limit: 30_000, remaining: 12_000, resetAt: now + 36_000 },
    outputTokens: { limit: 8000, remaining: 8000, resetAt: now },
  }],
  ['Groq', { 'X-RateLimit-Limit-Requests': '14400', 'X-RateLimit-Remaining-Requests': '14370', 'X-RateLimit-Reset-Requests': '2m59.56s' },
    { requests: { limit: 14_400, remaining: 14_370, resetAt: now + 179_560 } }],
  ['xAI, which names no reset', { 'x-ratelimit-limit-requests': '480', 'x-ratelimit-remaining-requests': '0' }, { requests: { limit: 480, remaining: 0, resetAt: undefined } }],
  ['Azure, where -1 is unknown', { 'x-ratelimit-limit-requests': '-1', 'x-ratelimit-remaining-requests': '-1', 'x-ratelimit-remaining-tokens': '90', 'x-ratelimit-reset-tokens': '10' },
    { tokens: { limit: undefined, remaining: 90, resetAt: now + 10_000 } }],
  ['Azure, where a limit of 0 is none', { 'x-ratelimit-limit-tokens': '0', 'x-ratelimit-remaining-tokens': '0' }, undefined],
  ['Mistral', { 'x-ratelimitbysize-limit-minute': '500000', 'x-ratelimitbysize-remaining-minute': '1200', 'ratelimitbysize-reset': '9' },
    { tokens: { limit: 500_000, remaining: 1200, resetAt: now + 9000 } }],
  ['Kimi', { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '7' }, { requests: { limit: 60, remaining: 3, resetAt: now + 7000 } }],
  ['OpenRouter, in epoch milliseconds', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now + 5000) }, { requests: { limit: undefined, remaining: 0, resetAt: now + 5000 } }],
  ['several spans, of which the one with least left counts', {
    'x-ratelimit-limit-requests-minute': '30', 'x-ratelimit-remaining-requests-minute': '29', 'x-ratelimit-reset-requests-minute': '2',
    'x-ratelimit-limit-requests-day': '900', 'x-ratelimit-remaining-requests-day': '0', 'x-ratelimit-reset-requests-day': '3600',
  }, { requests: { limit: 900, remaining: 0, resetAt: now + 3_600_000 } }],
  ["the fields of the IETF's draft", { 'ratelimit-limit': '10, 10;w=60', 'ratelimit-remaining': '2', 'ratelimit-reset': '30' }, { requests: { limit: 10, remaining: 2, resetAt: now + 30_000 } }],
  ["the one field of the IETF's later draft", { 'ratelimit': '"default";r=0;t=30' }, { requests: { limit: undefined, remaining: 0, resetAt: now + 30_000 } }],
  ['kinds that are not counted here', { 'anthropic-ratelimit-unified-5h-reset': '1795176000', 'x-ratelimit-remaining-images': '0', 'x-ratelimit-policy': 'x' }, undefined],
  ...['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'].map((word): [string, ResponseHeaders, undefined] =>
    [`a name that every object inherits: ${word}`, { [`x-ratelimit-remaining-${word}`]: '0', [`x-ratelimit-reset-${word}`]: '60' }, undefined]),
  ['figures beyond belief', { 'x-ratelimit-limit-tokens': '99999999999999999999', 'x-ratelimit-remaining-tokens': '99999999999999999999', 'x-ratelimit-reset-requests': '99999999999999999999' }, undefined],
  ['a remainder with a limit and a reset beyond belief', { 'x-ratelimit-limit': '99999999999999999999', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '99999999999999999999' },
    { requests: { limit: undefined, remaining: 0, resetAt: undefined } }],
  ['a draft with a reset beyond belief', { 'ratelimit': '"default";r=0;t=999999999999999' }, { requests: { limit: undefined, remaining: 0, resetAt: undefined } }],
  ['nonsense', { 'x-ratelimit-remaining-requests': 'many', 'x-ratelimit-reset-requests': 'soon' }, undefined],
];

for (const [what, headers, expected] of cases) {
  test(`limits are read from headers of ${what}`, () => {
    assert.deepEqual(readRateHeaders(headers, now), expected);
  });
}
