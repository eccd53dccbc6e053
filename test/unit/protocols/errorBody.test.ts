import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProviderErrorBody } from '../../../server/api/conversation.ts';
import type { JsonValue } from '../../../server/base/json.ts';
import { readErrorBody, readErrorText } from '../../../server/protocols/errorBody.ts';

const read: { what: string; body: JsonValue; error: ProviderErrorBody }[] = [
  {
    what: 'Anthropic, with an error code in its details',
    body: { type: 'error', error: { type: 'rate_limit_error', message: 'Spend limit', details: { error_code: 'enforced_spend_limit_reached' } }, request_id: 'req_1' },
    error: { type: 'rate_limit_error', code: 'enforced_spend_limit_reached', message: 'Spend limit' },
  },
  {
    what: 'OpenAI',
    body: { error: { message: 'You exceeded your current quota', type: 'insufficient_quota', param: null, code: 'credit_balance_exhausted' } },
    error: { type: 'insufficient_quota', code: 'credit_balance_exhausted', message: 'You exceeded your current quota' },
  },
  {
    what: 'a wait in OpenAI\'s sentence',
    body: { error: { message: 'Rate limit reached. Please try again in 1m2.5s. Visit …', type: 'tokens', code: 'rate_limit_exceeded' } },
    error: { type: 'tokens', code: 'rate_limit_exceeded', message: 'Rate limit reached. Please try again in 1m2.5s. Visit …', retryAfterMs: 62_500 },
  },
  { what: 'a wait in milliseconds', body: { error: { message: 'try again in 350ms' } }, error: { message: 'try again in 350ms', retryAfterMs: 350 } },
  { what: 'a numeric code', body: { error: { message: 'No endpoints', code: 404 } }, error: { message: 'No endpoints', status: 404 } },
  { what: 'a vendor\'s own error number', body: { error: { message: 'Bad', code: 10_013 } }, error: { message: 'Bad', code: '10013' } },
  { what: 'MiniMax inside a good answer', body: { id: 'r', choices: null, base_resp: { status_code: 1008, status_msg: 'insufficient balance' } }, error: { code: '1008', message: 'insufficient balance' } },
  {
    what: 'OpenRouter with what the provider said',
    body: { error: { code: 400, message: 'Provider returned error', metadata: { raw: '{"error":{"message":"prompt is too long"}}', provider_name: 'X' } }, user_id: 'u' },
    error: { status: 400, message: 'Provider returned error: prompt is too long' },
  },
  {
    what: 'OpenRouter\'s transient 402',
    body: { error: { code: 402, message: 'Budget in flight', metadata: { limit_source: 'openrouter_in_flight_budget' } } },
    error: { status: 402, code: 'openrouter_in_flight_budget', message: 'Budget in flight' },
  },
  {
    what: 'OpenRouter\'s moderation',
    body: { error: { code: 403, message: 'Flagged', metadata: { reasons: ['violence'], flagged_input: '…' } } },
    error: { status: 403, code: 'moderation', message: 'Flagged' },
  },
  {
    what: 'Google, with a reason and a delay',
    body: {
      error: {
        code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded',
        details: [
          { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }] },
          { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.5s' },
        ],
      },
    },
    error: { type: 'RESOURCE_EXHAUSTED', code: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier', status: 429, message: 'Quota exceeded', retryAfterMs: 34_500 },
  },
  {
    what: 'Google inside an array',
    body: [{ error: { code: 400, status: 'INVALID_ARGUMENT', message: 'API key not valid', details: [{ reason: 'API_KEY_INVALID' }] } }],
    error: { type: 'INVALID_ARGUMENT', code: 'API_KEY_INVALID', status: 400, message: 'API key not valid' },
  },
  {
    what: 'Mistral and older vLLM',
    body: { object: 'error', message: 'Requests rate limit exceeded', type: 'rate_limited', param: null, code: '1300' },
    error: { type: 'rate_limited', code: '1300', message: 'Requests rate limit exceeded' },
  },
  {
    what: 'FastAPI\'s list',
    body: { detail: [{ loc: ['body', 'messages', 0], msg: 'field required', type: 'value_error.missing' }] },
    error: { type: 'value_error.missing', message: 'body.messages.0: field required' },
  },
  { what: 'FastAPI\'s sentence', body: { detail: 'Not Found' }, error: { message: 'Not Found' } },
  { what: 'xAI', body: { code: 'Client specified an invalid argument', error: 'Incorrect API key' }, error: { code: 'Client specified an invalid argument', message: 'Incorrect API key' } },
  { what: 'Ollama', body: { error: 'model "x" not found' }, error: { message: 'model "x" not found' } },
  { what: 'AWS', body: { message: 'Too many requests' }, error: { message: 'Too many requests' } },
  { what: 'Cloudflare', body: { success: false, errors: [{ code: 10_000, message: 'Authentication error' }] }, error: { code: '10000', message: 'Authentication error' } },
  { what: 'a relay around another error', body: { error: { error: { message: 'inner', type: 't' } } }, error: { type: 't', message: 'inner' } },
  { what: 'a web framework\'s error', body: { statusCode: 503, error: 'Service Unavailable', message: 'No upstream' }, error: { status: 503, code: 'Service Unavailable', message: 'No upstream' } },
];

const notErrors: JsonValue[] = [
  null, 'text', 7, [], {}, { error: null }, { error: {} },
  { id: 'c', object: 'chat.completion', choices: [{ message: { content: 'x' } }], error: null },
  { type: 'message', content: [{ type: 'text', text: 'x' }] },
  { candidates: [], promptFeedback: {} },
  { id: 'resp', error: null, output: [] },
];

const defined = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

describe('an error body', () => {
  for (const { what, body, error } of read) {
    test(`of ${what} is read`, () => assert.deepEqual(defined(readErrorBody(body)), error));
  }

  test('is not seen in an answer', () => {
    for (const body of notErrors) assert.equal(readErrorBody(body), undefined, JSON.stringify(body));
  });

  test('has a bounded message, however long the provider\'s is', () => {
    // It is cut to what is shown after it was redacted (upstream/failures/responseFailure.ts).
    assert.ok((readErrorBody({ error: { message: 'x'.repeat(100_000) } })?.message.length ?? 0) <= 16_384);
  });
});

describe('the text of an error answer', () => {
  const cases: { what: string; text: string; message: string }[] = [
    { what: 'JSON after white space', text: '\n\n {"error":{"message":"No"}}', message: 'No' },
    { what: 'a stream event', text: 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n', message: 'Overloaded' },
    { what: 'a proxy\'s HTML', text: '<html><head><title>502 Bad Gateway</title><style>h1{}</style></head><body><!-- x --><h1>nginx</h1><script>alert(1)</script></body></html>', message: '502 Bad Gateway: nginx' },
    { what: 'HTML that repeats its title', text: '<html><title>504 Time-out</title><body><h1>504 Time-out</h1></body>', message: '504 Time-out' },
    { what: 'plain text', text: 'upstream  connect\nerror', message: 'upstream connect error' },
    { what: 'nothing', text: '  \n', message: 'The provider sent an empty answer.' },
  ];
  for (const { what, text, message } of cases) {
    test(`is read from ${what}`, () => assert.equal(readErrorText(text).message, message));
  }

  test('is bounded and quick for megabytes of markup', () => {
    assert.ok(readErrorText('<script '.repeat(500_000)).message.length <= 16_384);
    assert.ok(readErrorText('<title '.repeat(500_000)).message.length <= 16_384);
    assert.ok(readErrorText(`<p>${'word '.repeat(500_000)}`).message.length <= 16_384);
  });
});
