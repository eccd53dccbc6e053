import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanObject } from '../../../server/base/objectScan.ts';
import { conversationBody, encodedConversation, mentions, operationOf } from '../../../server/exchange/request.ts';

const conversation = { system: [], messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'needle' }] }], tools: [] };

test('a conversation is decoded when it is first needed, and once', () => {
  let decodes = 0;
  const body = encodedConversation(undefined, false, () => {
    decodes += 1;
    return conversation;
  });
  assert.equal(decodes, 0);
  assert.equal(body.decoded(), body.decoded());
  assert.equal(decodes, 1);
});

test('a conversation that cannot be decoded is decoded once, and fails the same way again', () => {
  let decodes = 0;
  const failure = new Error('no messages');
  const body = encodedConversation(undefined, false, () => {
    decodes += 1;
    throw failure;
  });
  for (const _ of [1, 2]) assert.throws(() => body.decoded(), error => error === failure);
  assert.equal(decodes, 1);
});

test('a text is found in bytes, in a conversation and in the fields of an operation', () => {
  const bytes = Buffer.from('{"model":"m","prompt":"needle"}');
  const raw = { bytes, scan: scanObject(bytes) ?? assert.fail(), protocolHeaders: {}, includeUsage: false };
  for (const body of [conversationBody(conversation), { kind: 'completion' as const, raw }, { kind: 'completion' as const, request: { prompt: 'needle' } }, { kind: 'embedding' as const, request: { input: ['needle'] } }]) {
    assert.deepEqual([mentions(body, 'needle'), mentions(body, 'hay')], [true, false]);
  }
});

test('a request that is no conversation is an operation', () => {
  assert.equal(operationOf(conversationBody(conversation)), undefined);
  assert.equal(operationOf({ kind: 'embedding', request: { input: [] } }), 'embedding');
});
