import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FailureClass, RefusalScope } from '../../../../server/api/failure.ts';
import { findProvider } from '../../../../server/catalog/providers.ts';
import { responseFailure } from '../../../../server/upstream/failures/responseFailure.ts';

/** Bodies as providers write them; sources in server/upstream/failures/refusalScope.ts and the providers' error references. */
const refusals: readonly (readonly [provider: string, status: number, body: unknown, failureClass: FailureClass, scope: RefusalScope | undefined])[] = [
  ['openai', 401, { error: { message: 'Incorrect API key provided: sk-…', type: 'invalid_request_error', code: 'invalid_api_key' } }, 'auth', 'key'],
  ['openai', 403, { error: { message: 'Country, region, or territory not supported', code: 'unsupported_country_region_territory' } }, 'auth', 'endpoint'],
  ['openai', 403, { error: { message: 'You have insufficient permissions for this operation. Missing scopes: model.request.' } }, 'auth', 'key-model'],
  ['openai', 404, { error: { message: 'The model `m-1` does not exist or you do not have access to it.', code: 'model_not_found' } }, 'model-not-found', 'key-model'],
  ['openai', 404, { error: { message: 'The model `m-1` has been deprecated', code: 'model_not_found' } }, 'model-not-found', 'model'],
  ['openai', 429, { error: { message: 'You exceeded your current quota', type: 'insufficient_quota', code: 'insufficient_quota' } }, 'quota', 'account'],
  ['anthropic', 401, { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } }, 'auth', 'key'],
  ['anthropic', 403, { type: 'error', error: { type: 'permission_error', message: 'Your API key does not have permission to use the specified resource' } }, 'auth', 'key-model'],
  ['anthropic', 404, { type: 'error', error: { type: 'not_found_error', message: 'model: m-1' } }, 'model-not-found', 'model'],
  ['anthropic', 400, { type: 'error', error: { type: 'invalid_request_error', message: 'This organization is on hold', details: { error_code: 'organization_on_hold' } } }, 'auth', 'account'],
  ['gemini', 400, { error: { code: 400, status: 'INVALID_ARGUMENT', message: 'API key not valid. Please pass a valid API key.', details: [{ reason: 'API_KEY_INVALID' }] } }, 'auth', 'key'],
  ['gemini', 400, { error: { code: 400, status: 'FAILED_PRECONDITION', message: 'User location is not supported for the API use.' } }, 'auth', 'endpoint'],
  ['gemini', 403, { error: { code: 403, status: 'PERMISSION_DENIED', message: 'Your API key was reported as leaked. Please use another API key.' } }, 'auth', 'key'],
  ['gemini', 403, { error: { code: 403, status: 'PERMISSION_DENIED', message: 'The caller does not have permission' } }, 'auth', 'key-model'],
  ['gemini', 429, { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded, limit: 0, model: m-1' } }, 'quota', 'key-model'],
  ['openrouter', 429, { error: { code: 429, message: 'Rate limit exceeded: free-models-per-day' } }, 'quota', 'key-model'],
  ['openai-compatible', 401, { error: { message: "key not allowed to access model. This key can only access models=['x']. Tried to access m-1", type: 'key_model_access_denied' } }, 'auth', 'key-model'],
  ['openai-compatible', 401, { error: { message: 'No subscription for m-1' } }, 'auth', 'key-model'],
  ['openai-compatible', 403, { error: { message: '该令牌无权访问模型 m-1', type: 'new_api_error' } }, 'auth', 'key-model'],
  ['openai-compatible', 403, { error: { message: 'The API key has expired' } }, 'auth', 'key'],
  ['openai-compatible', 403, { error: { type: 'RegionError', message: 'This model is not available in your country.' } }, 'auth', 'model'],
  ['openai-compatible', 400, { message: 'Access to Anthropic models is not allowed from unsupported countries, regions, or territories.' }, 'auth', 'model'],
  ['openai-compatible', 400, { error: { message: 'max_tokens is too large' } }, 'bad-request', undefined],
  ['openai-compatible', 500, { error: { message: 'no access to model m-1' } }, 'server', undefined],
  ['openai-compatible', 402, { error: { message: 'Pay to have access to this model' } }, 'quota', 'account'],
];

describe('what a refusal speaks of', () => {
  for (const [name, status, body, failureClass, scope] of refusals) {
    const text = JSON.stringify(body);
    it(`${name} ${status} ${text.slice(0, 90)}`, () => {
      const provider = findProvider(name) ?? assert.fail();
      const failure = responseFailure(status, {}, text, { endpoint: 'e', provider, keyName: 'A …1111', model: 'm-1' }, 0);
      assert.deepEqual([failure.failureClass, failure.scope], [failureClass, scope]);
      if (scope === 'key-model' && failureClass !== 'quota') assert.match(failure.message, /e says that key A …1111 may not use m-1/);
      if (scope === 'endpoint') assert.doesNotMatch(failure.message, /key/);
    });
  }
});
