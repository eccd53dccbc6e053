import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FailureClass, RefusalScope } from '../../../../server/api/failure.ts';
import { findProvider, providers } from '../../../../server/catalog/providers.ts';
import { providerFailure, responseFailure } from '../../../../server/upstream/failures/responseFailure.ts';

const openAi = (message: string, type: string | null = null, code: string | null = null): unknown => ({ error: { message, type, param: null, code } });
const anthropic = (message: string, type: string): unknown => ({ type: 'error', error: { type, message } });
const glm = (code: string, message: string): unknown => ({ error: { code, message } });
const minimaxInside = (status_code: number, status_msg: string): unknown => ({ id: 'r', choices: null, base_resp: { status_code, status_msg } });
const workersAi = (code: number, message: string): unknown => ({ result: null, success: false, errors: [{ code, message }], messages: [] });
const flat = (code: number, message: string): unknown => ({ code, message, data: null });

/** Bodies from the pages and threads that the entries' `sources` name. */
const errors: readonly (readonly [provider: string, status: number, body: unknown, expected: FailureClass, scope?: RefusalScope])[] = [
  ['zai', 401, glm('1001', 'Header parameter not received or failed to authenticate'), 'auth', 'key'],
  ['zai', 401, glm('1002', 'Authorization Token invalid, please ensure the Authorization Token is correctly transmitted'), 'auth', 'key'],
  ['zai', 429, glm('1112', 'Your account has been locked, please contact customer service to unlock'), 'auth', 'account'],
  ['zai', 429, glm('1113', 'Insufficient balance or no resource package. Please recharge.'), 'quota', 'account'],
  ['zai', 400, glm('1211', 'Unknown Model, please check the model code.'), 'model-not-found', 'model'],
  ['zai', 400, glm('1214', 'Incorrect role information'), 'bad-request'],
  ['zai', 400, glm('1220', 'You do not have permission to access m-1'), 'auth', 'key-model'],
  ['zai', 400, glm('1261', 'Prompt exceeds max length'), 'context-overflow'],
  ['zai', 400, glm('1301', 'System detected potentially unsafe or sensitive content in input or generation.'), 'content-policy'],
  ['zai', 429, glm('1302', 'Rate limit reached for requests'), 'rate-limit'],
  ['zai', 429, glm('1304', 'Daily call limit for this API has been reached'), 'quota', 'key-model'],
  ['zai', 429, glm('1305', 'The service may be temporarily overloaded, please try again later'), 'overloaded'],
  ['zai', 529, anthropic('[1305][The service may be temporarily overloaded, please try again later][2026]', 'overloaded_error'), 'overloaded'],
  ['zai-coding-plan', 429, glm('1308', 'Usage limit reached for 5 hour. Your limit will reset at 2026-11-27 15:00:00'), 'quota', 'account'],
  ['zai-coding-plan', 429, glm('1310', 'Weekly/Monthly Limit Exhausted.'), 'quota', 'account'],
  ['zai-coding-plan', 429, glm('1311', 'The current subscription plan does not yet include access to m-1'), 'auth', 'key-model'],
  ['qwen', 401, openAi('Incorrect API key provided.', 'invalid_request_error', 'invalid_api_key'), 'auth', 'key'],
  ['qwen', 401, openAi('invalid access token or token expired', 'invalid_request_error'), 'auth', 'key'],
  ['qwen', 400, { code: 'Arrearage', message: 'Access denied, please make sure your account is in good standing.' }, 'quota', 'account'],
  ['qwen', 403, openAi('The free tier of the model has been exhausted.', 'AllocationQuota.FreeTierOnly', 'AllocationQuota.FreeTierOnly'), 'quota', 'key-model'],
  ['qwen', 429, openAi('Allocated quota exceeded, please increase your quota limit.', 'insufficient_quota', 'insufficient_quota'), 'rate-limit'],
  ['qwen', 429, { code: 'Throttling.RateQuota', message: 'Requests rate limit exceeded, please try again later.' }, 'rate-limit'],
  ['qwen', 400, openAi('Input data may contain inappropriate content.', 'data_inspection_failed', 'data_inspection_failed'), 'content-policy'],
  ['qwen', 404, openAi('The model `m-1` does not exist or you do not have access to it.', 'invalid_request_error', 'model_not_found'), 'model-not-found', 'key-model'],
  ['qwen', 400, openAi('Range of input length should be [1, 129024]', 'invalid_request_error', 'invalid_parameter_error'), 'context-overflow'],
  ['qwen', 400, openAi('parameter.enable_thinking must be set to false for non-streaming calls', 'invalid_request_error', 'invalid_parameter_error'), 'bad-request'],
  ['minimax', 401, anthropic("login fail: Please carry the API secret key in the 'Authorization' field of the request header (1004)", 'authorized_error'), 'auth', 'key'],
  ['minimax', 500, anthropic('insufficient balance (1008)', 'api_error'), 'quota', 'account'],
  ['minimax', 429, anthropic('insufficient balance (1008)', 'insufficient_balance_error'), 'quota', 'account'],
  ['minimax', 429, anthropic('usage limit exceeded, 5-hour usage limit reached (2056)', 'rate_limit_error'), 'quota', 'account'],
  ['minimax', 429, anthropic('rate limit exceeded(RPM) (1002)', 'rate_limit_error'), 'rate-limit'],
  ['minimax', 200, minimaxInside(1008, 'insufficient balance'), 'quota', 'account'],
  ['minimax', 200, minimaxInside(1027, 'output new_sensitive'), 'content-policy'],
  ['minimax', 200, minimaxInside(2013, 'invalid params, context window exceeds limit'), 'context-overflow'],
  ['minimax', 400, openAi("invalid params, unknown model 'm-1' (2013)", 'bad_request_error', '2013'), 'model-not-found', 'model'],
  ['perplexity', 401, openAi('Invalid API key provided.', 'invalid_api_key', 'invalid_api_key'), 'auth', 'key'],
  ['perplexity', 401, openAi('You have no credits left.', 'insufficient_quota', 'insufficient_quota'), 'quota', 'account'],
  ['perplexity', 429, openAi('Rate limit exceeded', 'rate_limit_error'), 'rate-limit'],
  ['together', 401, openAi('Invalid API key provided.', 'invalid_request_error', 'invalid_api_key'), 'auth', 'key'],
  ['together', 402, openAi('The account has reached its monthly maximum spend.', 'invalid_request_error'), 'quota', 'account'],
  ['together', 403, openAi('The token count of the input and the max_tokens parameter exceed the context length of the model.', 'invalid_request_error'), 'context-overflow'],
  ['together', 400, openAi("The input (250000 tokens) is longer than the model's context length (200000 tokens).", 'invalid_request_error'), 'context-overflow'],
  ['together', 404, openAi('Unable to access model m-1.', 'invalid_request_error', 'model_not_available'), 'model-not-found', 'model'],
  ['together', 429, openAi('Too many requests.', 'rate_limit'), 'rate-limit'],
  ['together', 503, openAi('The engine is overloaded.', 'service_unavailable'), 'overloaded'],
  ['fireworks', 401, openAi('The API key you provided is invalid.', 'error', 'UNAUTHORIZED'), 'auth', 'key'],
  ['fireworks', 402, openAi('Payment Required'), 'quota', 'account'],
  ['fireworks', 404, openAi('Model not found, inaccessible, and/or not deployed', 'error', 'NOT_FOUND'), 'model-not-found', 'model'],
  ['fireworks', 412, openAi('Account me is suspended, possibly due to reaching the monthly spending limit or failure to pay past invoices.'), 'quota', 'account'],
  ['fireworks', 429, openAi('rate limit exceeded, please try again later'), 'rate-limit'],
  ['fireworks', 503, openAi('Service overloaded'), 'overloaded'],
  ['cerebras', 401, { message: 'Wrong API Key', type: 'invalid_request_error', param: 'api_key', code: 'wrong_api_key' }, 'auth', 'key'],
  ['cerebras', 402, { message: 'Payment required.', type: 'payment_required_error', code: 'payment_required' }, 'quota', 'account'],
  ['cerebras', 404, { message: 'Model m-1 does not exist or you do not have access to it.', type: 'not_found_error', param: 'model', code: 'model_not_found' }, 'model-not-found', 'key-model'],
  ['cerebras', 429, { message: 'Tokens per day limit exceeded - too many tokens processed.', type: 'too_many_tokens_error', param: 'quota', code: 'token_quota_exceeded' }, 'quota', 'key-model'],
  ['cerebras', 429, { message: 'Tokens per minute limit exceeded - too many tokens processed.', type: 'too_many_tokens_error', param: 'quota', code: 'token_quota_exceeded' }, 'rate-limit'],
  ['cerebras', 429, { message: "We're experiencing high traffic right now! Please try again soon.", type: 'too_many_requests_error', param: 'queue', code: 'queue_exceeded' }, 'overloaded'],
  ['sambanova', 401, openAi('The API key is invalid.', 'authentication_error', 'invalid_api_key'), 'auth', 'key'],
  ['sambanova', 402, openAi('A payment method is required.', null, 'PAYMENT_METHOD_REQUIRED'), 'quota', 'account'],
  ['sambanova', 404, openAi('Model not found', 'invalid_request_error', 'model_not_found'), 'model-not-found', 'model'],
  ['sambanova', 429, openAi('Rate limit exceeded', 'rate_limit_error', 'rate_limit_exceeded'), 'rate-limit'],
  ['sambanova', 429, openAi('We are currently experiencing high demand for this model.'), 'overloaded'],
  ['nvidia', 404, { status: 404, title: 'Not Found', detail: "Function '0f1': Not found for account 'abc'" }, 'model-not-found', 'key-model'],
  ['nvidia', 410, { status: 410, title: 'Gone', detail: "The model 'm-1' has reached its end of life on 2026-05-01 and is no longer available." }, 'model-not-found', 'model'],
  ['nvidia', 400, { status: 400, title: 'Bad Request', detail: "Function id '0f1': DEGRADED function cannot be invoked" }, 'overloaded'],
  ['nvidia', 401, { status: 401, title: 'Unauthorized', detail: 'Authentication failed' }, 'auth', 'key'],
  ['nvidia', 429, { status: 429, title: 'Too Many Requests' }, 'rate-limit'],
  ['huggingface', 402, { error: 'You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get 20x more monthly included credits.' }, 'quota', 'account'],
  ['huggingface', 400, openAi("The requested model 'm-1' is not supported by any provider you have enabled.", 'invalid_request_error', 'model_not_supported'), 'model-not-found', 'model'],
  ['huggingface', 403, { error: 'This authentication method does not have sufficient permissions to call Inference Providers on behalf of user me' }, 'auth', 'key'],
  ['huggingface', 401, { error: 'Invalid username or password.' }, 'auth', 'key'],
  ['cloudflare', 429, workersAi(3036, 'You have used up your daily free allocation of 10,000 neurons.'), 'quota', 'account'],
  ['cloudflare', 429, workersAi(3040, 'Capacity temporarily exceeded, please try again.'), 'overloaded'],
  ['cloudflare', 400, workersAi(5007, 'No such model m-1 or task'), 'model-not-found', 'model'],
  ['cloudflare', 403, workersAi(3023, 'Service unavailable for account'), 'auth', 'account'],
  ['cloudflare', 403, workersAi(5016, 'Agree to the terms of the model first'), 'auth', 'key-model'],
  ['cloudflare', 401, workersAi(10_000, 'Authentication error'), 'auth', 'key'],
  ['deepinfra', 429, openAi('Model busy, retry later'), 'overloaded'],
  ['deepinfra', 402, openAi('Payment required'), 'quota', 'account'],
  ['siliconflow', 400, flat(20_012, 'Model does not exist. Please check it carefully.'), 'model-not-found', 'model'],
  ['siliconflow', 400, flat(20_015, 'length of prompt_tokens (40000) must be less than max_seq_len (32768).'), 'context-overflow'],
  ['siliconflow', 403, flat(30_001, 'Sorry, your account balance is insufficient'), 'quota', 'account'],
  ['siliconflow', 403, flat(30_011, 'Your account needs a paid balance to use this model'), 'quota', 'key-model'],
  ['siliconflow', 401, 'Invalid token', 'auth', 'key'],
  ['siliconflow', 503, flat(50_505, 'Model service overloaded. Please try again later.'), 'overloaded'],
  ['vllm', 400, { object: 'error', message: "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.", type: 'BadRequestError', code: 400 }, 'context-overflow'],
  ['vllm', 404, { object: 'error', message: 'The model `m-1` does not exist.', type: 'NotFoundError', code: 404 }, 'model-not-found', 'model'],
  ['vllm', 401, { error: 'Unauthorized' }, 'auth', 'key'],
  ['llamacpp', 400, { error: { code: 400, message: 'the request exceeds the available context size, try increasing it', type: 'exceed_context_size_error', n_prompt_tokens: 9000, n_ctx: 4096 } }, 'context-overflow'],
  ['llamacpp', 503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } }, 'overloaded'],
  ['llamacpp', 401, { error: { code: 401, message: 'Invalid API Key', type: 'authentication_error' } }, 'auth', 'key'],
  ['sglang', 400, { object: 'error', message: "The input (61709 tokens) is longer than the model's context length (40960 tokens).", type: 'BadRequestError', param: null, code: 400 }, 'context-overflow'],
  ['litellm', 400, openAi('Budget has been exceeded! Current cost: 1.2, Max budget: 1', 'budget_exceeded', '400'), 'quota', 'account'],
  ['litellm', 429, { detail: 'Max budget limit reached.' }, 'quota', 'account'],
  ['litellm', 401, openAi("key not allowed to access model. This key can only access models=['x']. Tried to access m-1", 'key_model_access_denied', '401'), 'auth', 'key-model'],
  ['litellm', 400, openAi('litellm.ContextWindowExceededError: too long', null, '400'), 'context-overflow'],
  ['litellm', 400, openAi('/chat/completions: Invalid model name passed in model=m-1. Call `/v1/models` to view available models for your key.', 'invalid_request_error', '400'), 'model-not-found', 'model'],
  ['waybill', 401, openAi('The token is wrong.', 'authentication_error', 'invalid_api_key'), 'auth', 'key'],
  ['waybill', 404, openAi('No route or model is called m-1.', 'invalid_request_error', 'model_not_found'), 'model-not-found', 'model'],
];

describe('an error of a cloud of open models, a vendor in China or an own server means', () => {
  for (const [id, status, body, expected, scope] of errors) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    it(`${expected}: ${id} ${status} ${text.slice(0, 110)}`, () => {
      const provider = findProvider(id) ?? assert.fail(id);
      const failure = responseFailure(status, {}, text, { endpoint: 'it', provider, keyName: 'work …a1b2', model: 'm-1' }, 0);
      assert.deepEqual([failure.failureClass, failure.scope], [expected, scope]);
    });
  }

  it('a wait, where its sentence names the moment, also inside a good answer', () => {
    const provider = findProvider('minimax') ?? assert.fail();
    const now = Date.UTC(2026, 4, 15, 12);
    const sentence = 'usage limit exceeded, 5-hour usage limit reached for Token Plan Starter (0/0 used), resets at 2026-05-15T15:00:00Z (2056)';
    const source = { endpoint: 'it', provider, keyName: 'work …a1b2', model: 'm-1' };
    const refused = responseFailure(429, {}, JSON.stringify(anthropic(sentence, 'rate_limit_error')), source, now);
    assert.deepEqual([refused.failureClass, refused.retryAfterMs], ['quota', 3 * 3_600_000]);
    assert.equal(providerFailure({ code: '2056', message: sentence }, 200, source, now).retryAfterMs, 3 * 3_600_000);
    assert.equal(responseFailure(429, { 'retry-after': '20000' }, JSON.stringify(anthropic(sentence, 'rate_limit_error')), source, now).retryAfterMs, 20_000_000, 'the longest wait that was named');
  });

  // The rules of these are tried in providerErrors.test.ts.
  const elsewhere: readonly string[] = ['openai', 'anthropic', 'gemini', 'vertex', 'bedrock', 'deepseek', 'moonshot', 'openrouter', 'groq', 'xai', 'azure'];

  it('for every entry that has rules of its own', () => {
    const tried = new Set(errors.map(([id]) => id));
    const own = providers.filter(provider => provider.sources !== undefined && (provider.errorRules?.length ?? 0) > 0);
    assert.deepEqual(own.filter(({ id }) => !tried.has(id) && !elsewhere.includes(id)).map(({ id }) => id), []);
  });
});
