import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FailureClass } from '../../../../server/api/failure.ts';
import { findProvider } from '../../../../server/catalog/providers.ts';
import { providerFailure, responseFailure } from '../../../../server/upstream/failures/responseFailure.ts';

type Row = readonly [provider: string, status: number, body: unknown, expected: FailureClass];

const openai = (type: string, code: string | null, message = 'It failed.'): unknown => ({ error: { message, type, param: null, code } });
const anthropic = (type: string, message = 'It failed.', code?: string): unknown => ({ type: 'error', error: { type, message, ...(code === undefined ? {} : { details: { error_code: code } }) }, request_id: 'req_1' });
const google = (code: number, status: string, message = 'It failed.', details: unknown[] = []): unknown => ({ error: { code, status, message, details } });

/** What providers are known to answer, and what it means. */
const rows: readonly Row[] = [
  ['openai', 401, openai('invalid_request_error', 'invalid_api_key', 'Incorrect API key provided: sk-…1234.'), 'auth'],
  ['openai', 403, openai('request_forbidden', 'unsupported_country_region_territory', 'Country, region, or territory not supported'), 'auth'],
  ['openai', 404, openai('invalid_request_error', 'model_not_found', 'The model `x` does not exist or you do not have access to it.'), 'model-not-found'],
  ['openai', 400, openai('invalid_request_error', 'context_length_exceeded', "This model's maximum context length is 128000 tokens."), 'context-overflow'],
  ...['invalid_prompt', 'content_policy_violation', 'bio_policy', 'misalignment_policy_violation', 'image_content_policy_violation'].map((code): Row => ['openai', 400, openai('invalid_request_error', code), 'content-policy']),
  ['openai', 400, openai('invalid_request_error', 'unsupported_parameter', "Unsupported parameter: 'top_k'"), 'bad-request'],
  ['openai', 400, openai('invalid_request_error', 'unsupported_value', "Unsupported value: 'temperature'"), 'bad-request'],
  ...['insufficient_quota', 'credit_balance_exhausted', 'organization_spend_limit_exceeded', 'project_spend_limit_exceeded', 'organization_usage_limit_exceeded'].map((code): Row => ['openai', 429, openai('insufficient_quota', code), 'quota']),
  ['openai', 429, openai('tokens', 'rate_limit_exceeded', 'Rate limit reached for gpt-4.1 on tokens per min (TPM)'), 'rate-limit'],
  ['openai', 429, openai('requests', 'slow_down', 'Slow down'), 'rate-limit'],
  ['openai', 503, openai('server_error', 'server_is_overloaded'), 'overloaded'],
  ['openai', 503, openai('server_error', 'slow_down', 'Slow down'), 'overloaded'],
  ['openai', 200, openai('server_error', 'server_error'), 'server'],
  ['openai', 200, openai('tokens', 'rate_limit_exceeded'), 'rate-limit'],
  ['openai', 200, openai('insufficient_quota', 'insufficient_quota'), 'quota'],
  ['openai', 200, openai('invalid_request_error', 'context_length_exceeded'), 'context-overflow'],
  ['anthropic', 400, anthropic('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'), 'quota'],
  ['anthropic', 400, anthropic('invalid_request_error', 'You have reached your specified API usage limits. You will regain access on 2026-12-01.'), 'quota'],
  ['anthropic', 400, anthropic('invalid_request_error', 'On hold.', 'organization_on_hold'), 'auth'],
  ['anthropic', 400, anthropic('invalid_request_error', 'prompt is too long: 250000 tokens > 200000 maximum'), 'context-overflow'],
  ['anthropic', 400, anthropic('invalid_request_error', 'input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000'), 'context-overflow'],
  ['anthropic', 400, anthropic('invalid_request_error', 'messages.1.content.0: Invalid `signature` in `thinking` block'), 'bad-request'],
  ['anthropic', 400, anthropic('invalid_request_error', 'Output blocked by content filtering policy'), 'content-policy'],
  ['anthropic', 401, anthropic('authentication_error', 'invalid x-api-key'), 'auth'],
  ['anthropic', 402, anthropic('billing_error'), 'quota'],
  ['anthropic', 403, anthropic('permission_error'), 'auth'],
  ['anthropic', 404, anthropic('not_found_error', 'model: claude-x'), 'model-not-found'],
  ['anthropic', 409, anthropic('conflict_error'), 'server'],
  ['anthropic', 413, anthropic('request_too_large'), 'context-overflow'],
  ['anthropic', 429, anthropic('rate_limit_error', 'Limit.', 'enforced_spend_limit_reached'), 'quota'],
  ['anthropic', 429, anthropic('rate_limit_error', 'Limit.', 'contract_spend_limit_reached'), 'quota'],
  ['anthropic', 429, anthropic('rate_limit_error', 'Slow down.', 'ramp_limit_exceeded'), 'rate-limit'],
  ['anthropic', 429, anthropic('rate_limit_error', 'This request would exceed your rate limit.'), 'rate-limit'],
  ['anthropic', 500, anthropic('api_error'), 'server'],
  ['anthropic', 504, anthropic('timeout_error'), 'timeout'],
  ['anthropic', 529, anthropic('overloaded_error', 'Overloaded'), 'overloaded'],
  ['anthropic', 200, anthropic('overloaded_error', 'Overloaded'), 'overloaded'],
  ['gemini', 400, google(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }]), 'auth'],
  ['gemini', 400, google(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.'), 'auth'],
  ['gemini', 400, google(400, 'INVALID_ARGUMENT', 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).'), 'context-overflow'],
  ['gemini', 400, google(400, 'INVALID_ARGUMENT', 'Function call is missing a thought_signature'), 'bad-request'],
  ['gemini', 401, google(401, 'UNAUTHENTICATED'), 'auth'],
  ['gemini', 402, google(402, 'RESOURCE_EXHAUSTED', 'Your prepay credits are depleted.'), 'quota'],
  ['sandbox', 429, google(429, 'RESOURCE_EXHAUSTED', 'Your prepayment credits are depleted.'), 'quota'],
  ['sandbox', 503, google(503, 'UNAVAILABLE', 'The model is overloaded.'), 'overloaded'],
  ['sandbox', 400, google(400, 'INVALID_ARGUMENT', 'It violates our Responsible AI practices.'), 'content-policy'],
  ['gemini', 403, google(403, 'PERMISSION_DENIED'), 'auth'],
  ['gemini', 404, google(404, 'NOT_FOUND', 'models/x is not found'), 'model-not-found'],
  ['gemini', 429, google(429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted.'), 'rate-limit'],
  ['gemini', 500, google(500, 'INTERNAL'), 'server'],
  ['gemini', 503, google(503, 'UNAVAILABLE', 'The model is overloaded.'), 'overloaded'],
  ['deepseek', 402, openai('unknown_error', 'invalid_request_error', 'Insufficient Balance'), 'quota'],
  ['deepseek', 422, openai('invalid_request_error', null), 'bad-request'],
  ['deepseek', 429, openai('rate_limit', null), 'rate-limit'],
  ['deepseek', 503, openai('server_error', null), 'overloaded'],
  ['moonshot', 400, openai('content_filter', null, 'The request was rejected because it was considered high risk'), 'content-policy'],
  ['moonshot', 400, openai('invalid_request_error', null, 'Input token length too long'), 'context-overflow'],
  ['moonshot', 401, openai('invalid_authentication_error', null), 'auth'],
  ['moonshot', 401, openai('incorrect_api_key_error', null), 'auth'],
  ['moonshot', 403, openai('permission_denied_error', null), 'auth'],
  ['moonshot', 404, openai('resource_not_found_error', null), 'model-not-found'],
  ['moonshot', 429, openai('engine_overloaded_error', null), 'overloaded'],
  ['moonshot', 429, openai('rate_limit_reached_error', null), 'rate-limit'],
  ['moonshot', 429, openai('exceeded_current_quota_error', null), 'quota'],
  ['openrouter', 402, { error: { code: 402, message: 'Insufficient credits.' } }, 'quota'],
  ['openrouter', 403, { error: { code: 403, message: 'Your input was flagged.', metadata: { reasons: ['violence'], flagged_input: 'x' } } }, 'content-policy'],
  ['openrouter', 408, { error: { code: 408, message: 'Timed out.' } }, 'timeout'],
  ['openrouter', 502, { error: { code: 502, message: 'Provider returned error' } }, 'server'],
  ['openrouter', 524, { error: { code: 524, message: 'Timeout' } }, 'timeout'],
  ['openrouter', 529, { error: { code: 529, message: 'Provider overloaded' } }, 'overloaded'],
  ['openrouter', 200, { error: { code: 429, message: 'Rate limited upstream' } }, 'rate-limit'],
  ['mistral', 402, { detail: 'Payment required' }, 'quota'],
  ['mistral', 422, { object: 'error', message: { detail: [{ type: 'missing', loc: ['body', 'messages'], msg: 'Field required' }] }, type: 'invalid_request_error', code: null }, 'bad-request'],
  ['xai', 429, { code: 'resource_exhausted', error: 'Your team has used all available credits or reached its monthly spending limit.' }, 'quota'],
  ['groq', 498, openai('capacity', 'capacity_exceeded'), 'overloaded'],
  ['openai-compatible', 400, openai('invalid_request_error', 'content_filter'), 'content-policy'],
  ['openai-compatible', 404, openai('invalid_request_error', 'DeploymentNotFound'), 'model-not-found'],
  ['openai-compatible', 400, { error: 'no such thing' }, 'bad-request'],
  ['openai', 429, openai('rate_limit_error', 'slow_down'), 'rate-limit'],
  ['openai', 503, openai('server_error', 'slow_down'), 'overloaded'],
  ['openai', 200, openai('rate_limit_error', 'slow_down'), 'rate-limit'],
  ['openai-compatible', 503, openai('server_error', 'slow_down'), 'overloaded'],
  ['openai-compatible', 499, 'client closed request', 'server'],
  ['holysheep', 403, openai('new_api_error', 'insufficient_user_quota', '用户额度不足, 剩余额度: 0'), 'quota'],
  ['holysheep', 403, openai('new_api_error', 'pre_consume_token_quota_failed'), 'quota'],
  ['openai-compatible', 400, openai('Arrearage', 'Arrearage', 'Access denied, please make sure your account is in good standing.'), 'quota'],
  ['openai-compatible', 429, { error: { message: '账户余额不足' } }, 'quota'],
  ['openai-compatible', 403, { error: { message: 'Insufficient account balance' } }, 'quota'],
  ['openai-compatible', 429, { __type: 'ModelNotReadyException', message: 'Wait.' }, 'overloaded'],
  ['openai-compatible', 429, { __type: 'ThrottlingException', message: 'Too many tokens.' }, 'rate-limit'],
  ['openrouter', 429, { error: { code: 429, message: 'Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day' } }, 'quota'],
  ['openrouter', 429, { error: { code: 429, message: 'Rate limit exceeded: free-models-per-min.' } }, 'rate-limit'],
  ['gemini', 200, google(0, 'DEADLINE_EXCEEDED'), 'timeout'],
  ['openai-compatible', 425, '', 'server'],
  ['openai-compatible', 418, 'short and stout', 'bad-request'],
  ['openai-compatible', 502, '<html><head><title>502 Bad Gateway</title></head></html>', 'server'],
  ['openai-compatible', 500, openai('server_error', null, 'prompt is too long for this worker, maximum context length unknown'), 'server'],
];

function failureOf(provider: string, status: number, body: unknown, headers: Record<string, string> = {}): ReturnType<typeof responseFailure> {
  const found = findProvider(provider);
  assert.ok(found !== undefined, provider);
  return responseFailure(status, headers, typeof body === 'string' ? body : JSON.stringify(body), { endpoint: 'mine', provider: found, model: 'm', keyName: 'work …a1b2' }, 1_800_000_000_000);
}

describe('what a refused request means', () => {
  for (const [provider, status, body, expected] of rows) {
    it(`${provider} ${status} ${JSON.stringify(body).slice(0, 110)} is ${expected}`, () => {
      assert.equal(failureOf(provider, status, body).failureClass, expected);
    });
  }

  it('takes the longer of the waits in header and body', () => {
    const body = google(429, 'RESOURCE_EXHAUSTED', 'Slow down.', [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34s' }]);
    assert.equal(failureOf('gemini', 429, body).retryAfterMs, 34_000);
    assert.equal(failureOf('gemini', 429, body, { 'retry-after': '60' }).retryAfterMs, 60_000);
    assert.equal(failureOf('gemini', 429, body, { 'retry-after': '1.5' }).retryAfterMs, 34_000);
    const spoken = google(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded. Please retry in 56.5s.', [{ retryDelay: '34s' }, { retryDelay: { seconds: '50', nanos: 500000000 } }]);
    assert.equal(failureOf('gemini', 429, spoken).retryAfterMs, 56_500);
    assert.equal(failureOf('groq', 429, openai('tokens', 'rate_limit_exceeded', 'Limit 6000, Used 5900. Please try again in 1m7.66s.'), { 'retry-after': '3' }).retryAfterMs, 67_660);
    assert.equal(failureOf('azure', 429, { error: { code: '429', message: 'Too fast. Please retry after 26 seconds.' } }).retryAfterMs, 26_000);
    for (const fields of [{ retry_after: 9 }, { retry_after: '9' }, { retryAfter: '9s' }, { retry_after_seconds: 9 }, { retry_after_ms: 9000 }, { retry_after: 4, retry_after_ms: 9000 }]) {
      assert.equal(failureOf('openai-compatible', 429, { error: { message: 'Slow down.', ...fields } }).retryAfterMs, 9000);
      assert.equal(failureOf('openai-compatible', 429, { error: { message: 'Slow down.' }, ...fields }).retryAfterMs, 9000);
      assert.equal(failureOf('openai-compatible', 429, { error: { message: 'Slow down.', metadata: fields } }).retryAfterMs, 9000);
    }
    assert.equal(failureOf('openai-compatible', 429, { error: { message: 'Slow down.', retry_after: -1 } }).retryAfterMs, undefined);
  });

  it('says whose key it was and where to mend it', () => {
    const auth = failureOf('openai', 401, openai('invalid_request_error', 'invalid_api_key'));
    assert.match(auth.message, /^mine rejected key work …a1b2 \(401\); replace the key/);
    assert.equal(auth.helpUrl, findProvider('openai')?.keyUrl);
    assert.equal(failureOf('openai', 429, openai('insufficient_quota', 'insufficient_quota')).helpUrl, findProvider('openai')?.billingUrl);
    assert.equal(failureOf('openai', 500, openai('server_error', null)).helpUrl, undefined);
  });

  it('keeps its sentence short and in one line, however much the provider says', () => {
    const { message } = failureOf('openai', 400, openai('invalid_request_error', null, `line\nline ${'x'.repeat(5000)}`));
    assert.ok(message.length < 400 && !message.includes('\n'));
    assert.match(failureOf('openai', 500, '').message, /\S\.$/);
  });

  it('names the key once, whatever it is called', () => {
    const found = findProvider('openai');
    assert.ok(found !== undefined);
    const sentence = (keyName?: string): string => providerFailure({ message: 'no' }, 401, { endpoint: 'north', provider: found, model: 'm', keyName }, 0).message;
    assert.match(sentence('key 1 …8HfJ'), /^north rejected key 1 …8HfJ \(401\);/);
    assert.match(sentence('work …a1b2'), /^north rejected key work …a1b2 \(401\);/);
    assert.match(sentence('the new key'), /^north rejected the new key \(401\);/);
    assert.equal(sentence(), 'north wants a key (401); add one.');
  });

  it('takes the status in a body for the status of an error inside a 200', () => {
    const found = findProvider('openrouter');
    assert.ok(found !== undefined);
    const failure = providerFailure({ message: 'gone', status: 502 }, 200, { endpoint: 'mine', provider: found, model: 'm' }, 0);
    assert.equal(failure.failureClass, 'server');
    assert.equal(failure.status, 502);
  });
});
