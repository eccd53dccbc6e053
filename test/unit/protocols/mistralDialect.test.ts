import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConversationRequest } from '../../../server/api/conversation.ts';
import { isObject } from '../../../server/base/json.ts';
import { findProvider } from '../../../server/catalog/providers.ts';
import { fitBody } from '../../../server/protocols/bodyRules/bodyRules.ts';
import { shortCallId } from '../../../server/protocols/tools/callIds.ts';
import { openAiChat } from '../../../server/protocols/openAiChat/codec.ts';

const request: ConversationRequest = {
  system: [], tools: [{ name: 'read', parameters: { type: 'object' } }], seed: 7, user: 'me',
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'go' }] },
    { role: 'assistant', content: [{ type: 'tool-call', id: 'toolu_01AbCdEf', name: 'read', arguments: '{}' }, { type: 'tool-call', id: 'D681PevKs', name: 'read', arguments: '{}' }] },
    { role: 'user', content: [{ type: 'tool-result', callId: 'toolu_01AbCdEf', content: [] }, { type: 'tool-result', callId: 'D681PevKs', content: [] }] },
  ],
};

describe('what is sent to Mistral', () => {
  const mistral = findProvider('mistral') ?? assert.fail();
  const body = openAiChat.encodeRequest(request, { model: 'mistral-medium-3-5', stream: true, defaultMaxOutputTokens: 100, dialect: mistral.dialect, origin: 'mistral/mistral-medium-3-5' });
  const changes = fitBody('openai-chat', body, { dialect: mistral.dialect, model: 'mistral-medium-3-5' });

  test('names tool calls by nine letters and digits, and results by the same', () => {
    const messages = (body.messages as unknown[]).filter(isObject);
    const calls = (messages[1]?.tool_calls as unknown[]).filter(isObject).map(call => call.id);
    assert.deepEqual(calls, [shortCallId('toolu_01AbCdEf'), 'D681PevKs']);
    assert.match(String(calls[0]), /^[A-Za-z0-9]{9}$/);
    assert.deepEqual([messages[2]?.tool_call_id, messages[3]?.tool_call_id], calls);
  });

  test('carries the seed under its own name, and nothing it would refuse', () => {
    assert.deepEqual([body.random_seed, body.seed, body.user, body.stream_options], [7, undefined, undefined, undefined]);
    assert.deepEqual(changes.filter(change => change.endsWith('left out')), ['user was left out']);
  });
});

test('different ids stay different when they are shortened', () => {
  const ids = Array.from({ length: 5000 }, (_, index) => shortCallId(`call_${index}`));
  assert.equal(new Set(ids).size, ids.length);
});
