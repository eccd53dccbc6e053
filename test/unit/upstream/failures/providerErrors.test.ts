import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FailureClass } from '../../../../server/api/failure.ts';
import { findProvider } from '../../../../server/catalog/providers.ts';
import { responseFailure } from '../../../../server/upstream/failures/responseFailure.ts';

type Headers = Record<string, string>;

const now = Date.UTC(2026, 10, 20, 12);

function failure(id: string, status: number, body: unknown, headers: Headers = {}): ReturnType<typeof responseFailure> {
  const provider = findProvider(id) ?? assert.fail(id);
  return responseFailure(status, headers, typeof body === 'string' ? body : JSON.stringify(body), { endpoint: 'it', provider, model: 'm' }, now);
}

const openAi = (code: string | null, type: string, message = 'said'): unknown => ({ error: { message, type, param: null, code } });
const anthropic = (type: string, message = 'said', code?: string): unknown => ({ type: 'error', error: { type, message, ...(code === undefined ? {} : { details: { error_code: code } }) }, request_id: 'r' });
const google = (status: string, message = 'said', details: unknown[] = []): unknown => ({ error: { code: 400, message, status, details } });

const perDay = { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }] };
const perMinute = { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel' }] };

const errors: readonly (readonly [provider: string, status: number, body: unknown, expected: FailureClass])[] = [
  ['gemini', 402, google('RESOURCE_EXHAUSTED', 'prepaid balance is used up'), 'quota'],
  ['gemini', 429, google('RESOURCE_EXHAUSTED', 'Quota exceeded for metric: generate_requests, limit: 0, model: x'), 'quota'],
  ['gemini', 429, google('RESOURCE_EXHAUSTED', 'You exceeded your quota', [perDay]), 'quota'],
  ['gemini', 429, google('RESOURCE_EXHAUSTED', 'You exceeded your quota', [perMinute]), 'rate-limit'],
  ['openrouter', 402, { error: { code: 402, message: 'Wait', metadata: { limit_source: 'openrouter_in_flight_budget' } } }, 'rate-limit'],
  ['openrouter', 403, { error: { code: 403, message: 'no', metadata: { reasons: ['x'] } } }, 'content-policy'],
  ['vertex', 401, google('UNAUTHENTICATED'), 'auth'],
  ['vertex', 403, google('PERMISSION_DENIED', 'Vertex AI API has not been used in project 1 before or it is disabled.'), 'auth'],
  ['vertex', 404, google('NOT_FOUND', 'Publisher Model was not found'), 'model-not-found'],
  ['vertex', 429, google('RESOURCE_EXHAUSTED'), 'rate-limit'],
  ['vertex', 529, anthropic('overloaded_error'), 'overloaded'],
  ['bedrock', 400, { message: 'Input is too long for requested model.' }, 'context-overflow'],
  ['bedrock', 400, { message: 'The provided model identifier is invalid.' }, 'model-not-found'],
  ['bedrock', 400, { message: 'Operation not allowed' }, 'auth'],
  ['bedrock', 403, { message: 'Authentication failed: Please make sure your API Key is valid.' }, 'auth'],
  ['bedrock', 404, { message: 'Model use case details have not been submitted for this account.' }, 'auth'],
  ['mistral', 402, { object: 'error', message: 'credit is used up', type: 'billing', param: null, code: '1' }, 'quota'],
  ['mistral', 422, { detail: [{ loc: ['body', 'x'], msg: 'extra', type: 'extra_forbidden' }] }, 'bad-request'],
  ['codestral', 401, { message: 'Unauthorized', request_id: 'r' }, 'auth'],
  ['groq', 413, openAi('rate_limit_exceeded', 'tokens', 'Request too large for model, please reduce your message size'), 'rate-limit'],
  ['groq', 498, openAi('capacity_exceeded', 'invalid_request_error'), 'overloaded'],
  ['xai', 429, { code: 'Some resource has been exhausted', error: 'Your team has either used all available credits or reached its monthly spending limit.' }, 'quota'],
  ['xai', 400, { code: 'Client specified an invalid argument', error: 'Incorrect API key provided: xa***.' }, 'auth'],
  ['xai', 429, { error: { message: 'Too many requests', type: 'rate_limit', code: 'rate_limit_exceeded' } }, 'rate-limit'],
  ['azure', 400, { error: { message: 'filtered', type: null, param: 'prompt', code: 'content_filter', status: 400, innererror: { code: 'ResponsibleAIPolicyViolation' } } }, 'content-policy'],
  ['azure', 401, { error: { code: '401', message: 'Access denied due to invalid subscription key or wrong API endpoint.' } }, 'auth'],
  ['azure', 404, { error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' } }, 'model-not-found'],
  ['azure', 429, { error: { code: '429', message: 'Requests have exceeded the token rate limit.' } }, 'rate-limit'],
  ['holysheep', 401, openAi('invalid_api_key', 'authentication_error'), 'auth'],
  ['holysheep', 402, { message: 'balance' }, 'quota'],
  ['ollama', 404, { error: "model 'x' not found" }, 'model-not-found'],
  ['openai-compatible', 400, { object: 'error', message: "This model's maximum context length is 8192 tokens.", type: 'BadRequestError', code: 400 }, 'context-overflow'],
  ['openai-compatible', 502, '<html>Bad gateway</html>', 'server'],
];

describe('an error of clouds, relays and others means', () => {
  for (const [provider, status, body, expected] of errors) {
    test(`${expected}: ${provider} ${status} ${JSON.stringify(body).slice(0, 110)}`, () => assert.equal(failure(provider, status, body).failureClass, expected));
  }

  test('no money, with the page where it is mended', () => {
    assert.equal(failure('xai', 429, { code: 'x', error: 'used all available credits' }).helpUrl, 'https://console.x.ai');
    assert.equal(failure('vertex', 402, google('RESOURCE_EXHAUSTED')).helpUrl, 'https://console.cloud.google.com/billing');
  });
});

const waits: readonly (readonly [what: string, provider: string, headers: Headers, body: unknown, waitMs: number | undefined])[] = [
  ['OpenAI, which is precise in one header', 'openai', { 'retry-after': '2', 'retry-after-ms': '1560' }, {}, 1560],
  ['OpenAI, from the limit that is used up', 'openai', { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s', 'x-ratelimit-remaining-tokens': '900', 'x-ratelimit-reset-tokens': '12ms' }, {}, 360_000],
  ['Anthropic, from the moment its limit is full again', 'anthropic', { 'anthropic-ratelimit-input-tokens-remaining': '0', 'anthropic-ratelimit-input-tokens-reset': '2026-11-20T12:00:30Z' }, {}, 30_000],
  ['Anthropic, in seconds', 'anthropic', { 'retry-after': '17' }, {}, 17_000],
  ['Groq', 'groq', { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '2m59.56s' }, {}, 179_560],
  ['Azure', 'azure', { 'retry-after': '6', 'x-ratelimit-remaining-tokens': '-1' }, {}, 6000],
  ['Mistral', 'mistral', { 'x-ratelimitbysize-remaining-minute': '0', 'ratelimitbysize-reset': '9' }, {}, 9000],
  ['Kimi', 'moonshot', { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3' }, {}, 3000],
  ['OpenRouter', 'openrouter', { 'retry-after': '5' }, {}, 5000],
  ['xAI', 'xai', { 'x-ratelimit-limit-requests': '480', 'x-ratelimit-remaining-requests': '0' }, {}, undefined],
  ['Gemini, which says it in the body', 'gemini', {}, google('RESOURCE_EXHAUSTED', 'slow', [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34s' }]), 34_000],
  ['DeepSeek, which says nothing', 'deepseek', {}, {}, undefined],
];

describe('a rate limit asks to wait, in the words of', () => {
  for (const [what, provider, headers, body, waitMs] of waits) {
    test(what, () => assert.equal(failure(provider, 429, body, headers).retryAfterMs, waitMs));
  }
});
