import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureClasses } from '../../../server/api/failure.ts';
import { protocolNames, type ProtocolName } from '../../../server/api/conversation.ts';
import type { FailureClass } from '../../../server/api/failure.ts';
import { anthropicMessages } from '../../../server/protocols/anthropicMessages/codec.ts';
import { codecFor } from '../../../server/protocols/registry.ts';
import { openAiChat } from '../../../server/protocols/openAiChat/codec.ts';

const statuses: Record<FailureClass, [chat: number, messages: number]> = {
  auth: [502, 502],
  quota: [429, 402],
  'rate-limit': [429, 429],
  overloaded: [503, 529],
  server: [503, 503],
  network: [503, 503],
  timeout: [504, 504],
  'context-overflow': [400, 400],
  'content-policy': [400, 400],
  'model-not-found': [404, 404],
  'bad-request': [400, 400],
  local: [503, 503],
  cancelled: [499, 499],
};

describe('an error that a caller gets', () => {
  for (const failureClass of failureClasses) {
    test(`of class ${failureClass} has its status in each protocol`, () => {
      const error = { failureClass, message: 'What happened.' };
      assert.deepEqual([openAiChat.encodeError(error).status, anthropicMessages.encodeError(error).status], statuses[failureClass]);
    });
  }

  test('about a provider\'s key is never 401 or 403, says whose key it is, and is not retried by SDKs', () => {
    for (const status of [400, 401, 403]) {
      for (const codec of [openAiChat, anthropicMessages]) {
        const encoded = codec.encodeError({ failureClass: 'auth', message: 'Incorrect API key provided.', status });
        assert.equal(encoded.status, 502);
        assert.equal(encoded.headers?.['x-should-retry'], 'false');
        assert.match(JSON.stringify(encoded.body), /provider rejected its API key/);
      }
    }
  });

  const refusals: Record<ProtocolName, (status: number) => object> = {
    'openai-chat': status => ({ error: { message: 'No.', type: status === 429 ? 'requests' : status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code: { 401: 'invalid_api_key', 429: 'rate_limit_exceeded', 503: 'internal_error' }[status] ?? 'invalid_request' } }),
    'openai-responses': status => refusals['openai-chat'](status),
    'anthropic-messages': status => ({ type: 'error', error: { type: { 401: 'authentication_error', 429: 'rate_limit_error', 503: 'api_error' }[status] ?? 'invalid_request_error', message: 'No.' } }),
    gemini: status => ({ error: { code: status, message: 'No.', status: { 401: 'UNAUTHENTICATED', 429: 'RESOURCE_EXHAUSTED', 503: 'INTERNAL' }[status] ?? 'INVALID_ARGUMENT' } }),
  };
  for (const protocol of protocolNames) {
    test(`that no provider said has the provider's own names (${protocol}), those of 400 and 500 where a status has none`, () => {
      for (const status of [401, 429, 405, 503]) assert.deepEqual(codecFor(protocol).encodeRefusal(status, 'No.'), refusals[protocol](status));
    });
  }

  test('says whose key it was unless the message does, whatever words the message has', () => {
    const messageOf = (message: string, namesKeyOwner?: boolean): string => JSON.stringify(openAiChat.encodeError({ failureClass: 'auth', message, namesKeyOwner }).body);
    for (const message of ['upstream-1 wants a key; add one.', 'This Waybill key was refused.']) assert.match(messageOf(message), /The provider rejected its API key \(your Waybill token is fine\): /, message);
    assert.doesNotMatch(messageOf('north does not accept key work.', true), /Waybill token/);
  });

  test('about a wrong request keeps the provider\'s own status and code', () => {
    const encoded = openAiChat.encodeError({ failureClass: 'bad-request', message: 'No such field', status: 422, code: 'unsupported_parameter' });
    assert.equal(encoded.status, 422);
    assert.deepEqual(encoded.body, { error: { message: 'No such field', type: 'invalid_request_error', param: null, code: 'unsupported_parameter' } });
  });

  test('about a full context is worded so that agents shorten their history', () => {
    const error = { failureClass: 'context-overflow' as const, message: 'maximum context length is 8192 tokens', code: 'something_else' };
    assert.deepEqual(openAiChat.encodeError(error).body, {
      error: { message: error.message, type: 'invalid_request_error', param: null, code: 'context_length_exceeded' },
    });
    assert.match(JSON.stringify(anthropicMessages.encodeError(error).body), /prompt is too long/);
    const already = JSON.stringify(anthropicMessages.encodeError({ ...error, message: 'prompt is too long: 9 tokens' }).body);
    assert.equal(already.match(/prompt is too long/g)?.length, 1);
  });

  test('says when to ask again, rounded up', () => {
    const { headers } = openAiChat.encodeError({ failureClass: 'rate-limit', message: 'Slow down.', retryAfterMs: 1_200 });
    assert.deepEqual(headers, { 'retry-after': '2', 'retry-after-ms': '1200' });
  });

  test('in a stream is the protocol\'s own error event, and nothing that looks like a good end', () => {
    const error = { failureClass: 'overloaded' as const, message: 'Overloaded.', exchangeId: 'x1' };
    assert.equal(openAiChat.encodeStreamError(error), 'data: {"error":{"message":"Overloaded.","type":"server_error","param":null,"code":"server_is_overloaded"}}\n\n');
    assert.equal(
      anthropicMessages.encodeStreamError(error),
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded."},"request_id":"x1"}\n\n',
    );
  });

  test('about an unsupported thread carries the code the SDK looks for', () => {
    const { body } = anthropicMessages.encodeError({ failureClass: 'bad-request', message: 'No threads.', code: 'thread_unsupported_request' });
    assert.deepEqual(body.error, { type: 'invalid_request_error', message: 'No threads.', details: { error_code: 'thread_unsupported_request' } });
  });
});
