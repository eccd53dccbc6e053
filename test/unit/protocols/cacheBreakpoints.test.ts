import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConversationRequest, Message } from '../../../server/api/conversation.ts';
import { anthropicMessages } from '../../../server/protocols/anthropicMessages/codec.ts';
import { withCacheBreakpoints } from '../../../server/protocols/cacheBreakpoints.ts';

const text = (words: string): Message['content'][number] => ({ type: 'text', text: words });

function conversation(changes: Partial<ConversationRequest> = {}): ConversationRequest {
  return {
    system: [{ type: 'text', text: 'Rules.' }, { type: 'text', text: 'More rules.' }],
    tools: [{ name: 'read', parameters: { type: 'object' } }, { name: 'write', parameters: { type: 'object' } }],
    messages: [
      { role: 'user', content: [text('first')] },
      { role: 'assistant', content: [text('ok'), { type: 'tool-call', id: 'c1', name: 'read', arguments: '{}' }] },
      { role: 'user', content: [{ type: 'tool-result', callId: 'c1', content: [{ type: 'text', text: 'result' }] }] },
      { role: 'assistant', content: [text('done')] },
      { role: 'user', content: [text('look at this'), { type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: 'AAAA' } }] },
    ],
    ...changes,
  };
}

/** Where marks are, such as `system.1`, `messages.4.1`. */
function marks(request: ConversationRequest): string[] {
  return [
    ...request.tools.flatMap((tool, index) => (tool.cache === undefined ? [] : [`tools.${index}`])),
    ...request.system.flatMap((part, index) => (part.cache === undefined ? [] : [`system.${index}`])),
    ...request.messages.flatMap((message, index) => message.content.flatMap((part, at) => ('cache' in part && part.cache !== undefined ? [`messages.${index}.${at}`] : []))),
  ];
}

describe('cache marks for Anthropic', () => {
  test('stand after the last tool, the instructions and the last two turns of the user', () => {
    assert.deepEqual(marks(withCacheBreakpoints(conversation(), 5000)), ['tools.1', 'system.1', 'messages.2.0', 'messages.4.1']);
  });

  test('are found again by the next request of the conversation, whose older mark is where this one ended', () => {
    const next = conversation({ messages: [...conversation().messages, { role: 'assistant', content: [text('nice')] }, { role: 'user', content: [text('go on')] }] });
    assert.deepEqual(marks(withCacheBreakpoints(next, 5000)), ['tools.1', 'system.1', 'messages.4.1', 'messages.6.0']);
  });

  test('are not placed where the caller placed some, nor in a prompt too small to be cached', () => {
    const own = conversation({ system: [{ type: 'text', text: 'Rules.', cache: '1h' }] });
    assert.equal(withCacheBreakpoints(own, 5000), own);
    const small = conversation();
    assert.equal(withCacheBreakpoints(small, 1023), small);
  });

  test('take neighbouring messages of the user for one turn, as the provider does', () => {
    const results = conversation({ messages: [
      { role: 'user', content: [text('go')] },
      { role: 'assistant', content: [{ type: 'tool-call', id: 'a', name: 'read', arguments: '{}' }, { type: 'tool-call', id: 'b', name: 'read', arguments: '{}' }] },
      { role: 'user', content: [{ type: 'tool-result', callId: 'a', content: [] }] },
      { role: 'user', content: [{ type: 'tool-result', callId: 'b', content: [] }] },
    ] });
    assert.deepEqual(marks(withCacheBreakpoints(results, 5000)), ['tools.1', 'system.1', 'messages.0.0', 'messages.3.0']);
  });

  test('pass over empty text, and are fewer where there is less to mark', () => {
    const bare = conversation({ system: [{ type: 'text', text: 'Rules.' }, { type: 'text', text: ' ' }], tools: [], messages: [{ role: 'user', content: [text('hi'), text('')] }] });
    assert.deepEqual(marks(withCacheBreakpoints(bare, 5000)), ['system.0', 'messages.0.0']);
  });

  test('leave the request of the caller as it was', () => {
    const request = conversation();
    const before = structuredClone(request);
    withCacheBreakpoints(request, 5000);
    assert.deepEqual(request, before);
  });

  test('arrive in the body, four of them', () => {
    const body = anthropicMessages.encodeRequest(withCacheBreakpoints(conversation(), 5000), {
      model: 'claude-sonnet-5-5', stream: true, defaultMaxOutputTokens: 1000, dialect: {}, origin: 'anthropic/claude-sonnet-5-5',
    });
    assert.equal(JSON.stringify(body).match(/"cache_control":\{"type":"ephemeral"\}/g)?.length, 4);
  });
});

describe("the version of Anthropic's API of October 2026", () => {
  const asked = conversation({ temperature: 0.2, topP: 0.9, topK: 5, messages: [
    { role: 'user', content: [text('go')] },
    { role: 'assistant', content: [{ type: 'document', mimeType: 'application/pdf', source: { kind: 'base64', data: 'AAAA' }, filename: 'plan.pdf' }] },
    { role: 'user', content: [text('and?')] },
  ] });
  const written = (anthropicVersion: string | undefined): Record<string, unknown> => anthropicMessages.encodeRequest(asked, {
    model: 'claude-haiku-4-5', stream: false, defaultMaxOutputTokens: 1000, dialect: { anthropicVersion }, origin: 'anthropic/claude-haiku-4-5',
  });

  test('is sent no sampling parameters and no document of the assistant', () => {
    const body = written('2026-10-21');
    for (const field of ['temperature', 'top_p', 'top_k']) assert.equal(field in body, false, field);
    assert.doesNotMatch(JSON.stringify(body.messages), /"type":"document"/);
    assert.match(JSON.stringify(body.messages), /plan\.pdf/);
  });

  test('is the only one that is not', () => {
    assert.equal(written('2023-06-01').temperature, 0.2);
    assert.equal(written(undefined).temperature, 0.2);
  });
});
