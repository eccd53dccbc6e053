import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConversationRequest } from '../../../../server/api/conversation.ts';
import type { Caller } from '../../../../server/api/receipt.ts';
import { scanObject } from '../../../../server/base/objectScan.ts';
import { conversationId } from '../../../../server/exchange/conversation/conversationId.ts';
import { ExchangeRoutingRequest } from '../../../../server/exchange/conversation/routingRequest.ts';
import { conversationBody, encodedConversation, type ExchangeInput, type RequestBody } from '../../../../server/exchange/request.ts';
import { agentOf, callerOf } from '../../../../server/inbound/http/request/callerOf.ts';

let exchanges = 0;

function input(body: RequestBody, caller: Partial<Caller> = {}, agent?: string): ExchangeInput {
  exchanges += 1;
  return {
    id: `x${exchanges}`, inbound: 'http', protocol: 'openai-chat', requestedModel: 'auto', stream: true, caller: { tool: 'http', ...caller }, agent, body, patienceMs: 0,
    requirements: { tools: false, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 1 },
  };
}

function raw(body: unknown): RequestBody {
  const bytes = Buffer.from(JSON.stringify(body));
  const scan = scanObject(bytes) ?? assert.fail();
  return encodedConversation({ bytes, scan, protocolHeaders: {}, includeUsage: false }, false, () => assert.fail('the body is decoded'));
}

const idOf = (body: unknown, caller?: Partial<Caller>, agent?: string): string => conversationId(input(raw(body), caller, agent));
const chat = (...texts: string[]): unknown => ({ model: 'm', messages: [{ role: 'system', content: 'Be brief.' }, ...texts.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content }))] });

/** A first turn and a later one of one conversation, for each protocol, and another conversation. */
const protocols: Record<string, { first: unknown; later: unknown; other: unknown }> = {
  'Chat': { first: chat('Why is "it" [red], {say}?'), later: chat('Why is "it" [red], {say}?', 'Because.', 'And now?'), other: chat('Why is it green?') },
  'Chat with parts': {
    first: { messages: [{ role: 'developer', content: 'Be brief.' }, { role: 'user', content: [{ type: 'text', text: 'one \\" two' }] }] },
    later: { messages: [{ role: 'developer', content: 'Be brief.' }, { role: 'user', content: [{ type: 'text', text: 'one \\" two' }] }, { role: 'user', content: 'three' }] },
    other: { messages: [{ role: 'developer', content: 'Be long.' }, { role: 'user', content: [{ type: 'text', text: 'one \\" two' }] }] },
  },
  'Messages': {
    first: { system: [{ type: 'text', text: 'x-anthropic-billing-header: cch=1;' }, { type: 'text', text: 'You code.' }], messages: [{ role: 'user', content: [{ type: 'text', text: 'Go', cache_control: { type: 'ephemeral' } }] }] },
    later: { system: [{ type: 'text', text: 'x-anthropic-billing-header: cch=2;' }, { type: 'text', text: 'You code.', cache_control: { type: 'ephemeral' } }], messages: [{ role: 'user', content: [{ type: 'text', text: 'Go' }] }, { role: 'assistant', content: 'ok' }] },
    other: { system: 'You code.', messages: [{ role: 'user', content: 'Stop' }] },
  },
  'Responses': {
    first: { instructions: 'You code.', input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Go' }] }] },
    later: { instructions: 'You code.', input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Go' }] }, { type: 'function_call', name: 'f', arguments: '{}' }] },
    other: { instructions: 'You code.', input: 'Stop' },
  },
  'Gemini': {
    first: { systemInstruction: { parts: [{ text: 'You code.' }] }, contents: [{ role: 'user', parts: [{ text: 'Go' }] }] },
    later: { systemInstruction: { parts: [{ text: 'You code.' }] }, contents: [{ role: 'user', parts: [{ text: 'Go' }] }, { role: 'model', parts: [{ text: 'ok' }] }] },
    other: { systemInstruction: { parts: [{ text: 'You code.' }] }, contents: [{ parts: [{ text: 'Stop' }] }] },
  },
};

describe('the conversation of a request', () => {
  for (const [protocol, { first, later, other }] of Object.entries(protocols)) {
    it(`is the same in a later turn, and not in another conversation: ${protocol}`, () => {
      assert.equal(idOf(first), idOf(later));
      assert.notEqual(idOf(first), idOf(other));
      assert.notEqual(idOf(first), idOf(first, { tool: 'codex' }), 'of another tool');
    });
  }

  it('is what the caller gave, whatever the body holds', () => {
    const given = { conversation: 'session-1' };
    assert.equal(idOf(chat('a'), given), idOf(chat('b'), given));
    assert.notEqual(idOf(chat('a'), given), idOf(chat('a'), { conversation: 'session-2' }));
    assert.notEqual(idOf(chat('a'), given), idOf(chat('a'), given, 'agent-7'), 'a subagent is a conversation of its own');
  });

  it('is what the body names', () => {
    for (const field of [{ prompt_cache_key: 'k1' }, { conversation: { id: 'k1' } }, { metadata: { user_id: 'user_1_session_k1' } }]) {
      assert.equal(idOf({ ...field, input: 'a' }), idOf({ ...field, input: 'b' }), JSON.stringify(field));
    }
    assert.notEqual(idOf({ metadata: { user_id: 'user_1' }, input: 'a' }), idOf({ metadata: { user_id: 'user_1' }, input: 'b' }), 'a user is no conversation');
  });

  it('is found in the internal form too', () => {
    const turn = (...texts: string[]): ConversationRequest => ({
      system: [{ type: 'text', text: 'Be brief.' }], messages: texts.map(text => ({ role: 'user', content: [{ type: 'text', text }] })), tools: [],
    });
    const editor = (...texts: string[]): string => conversationId(input(conversationBody(turn(...texts)), { tool: 'vscode-chat' }));
    assert.equal(editor('a'), editor('a', 'b'));
    assert.notEqual(editor('a'), editor('b'));
    const broken = encodedConversation(undefined, false, () => { throw new Error('no messages'); });
    assert.notEqual(conversationId(input(broken)), conversationId(input(broken)), 'a body that cannot be read is a conversation of its own');
  });

  it('is one for each request of embeddings', () => {
    const embedding: RequestBody = { kind: 'embedding', request: { input: ['a'] } };
    assert.notEqual(conversationId(input(embedding)), conversationId(input(embedding)));
  });

  it('is short and shows nothing of the prompt', () => {
    for (const { first } of Object.values(protocols)) assert.match(idOf(first), /^[\w-]{16}$/);
  });

  it('is found out when it is first read, and once', () => {
    let reads = 0;
    const body: RequestBody = { kind: 'conversation', thinkingAsked: false, decoded: () => { reads += 1; return { system: [], messages: [], tools: [] }; } };
    const request = new ExchangeRoutingRequest(input(body), 'normal');
    assert.equal(reads, 0);
    assert.equal(request.conversation, request.conversation);
    assert.equal(reads, 1);
  });

  it('reads the first messages of a long conversation only', () => {
    const long = chat('first', ...Array.from({ length: 2000 }, (_, index) => `${index} `.repeat(200)));
    const body = raw(long);
    const startedAt = process.cpuUsage();
    for (let run = 0; run < 100; run++) conversationId(input(body));
    const { user, system } = process.cpuUsage(startedAt);
    assert.ok(user + system < 200_000, `${(user + system) / 100} microseconds each`);
    assert.equal(idOf(long), idOf(chat('first')));
  });
});

describe('headers that name a conversation or an agent', () => {
  const rows: [Record<string, string>, conversation: string | undefined, agent: string | undefined][] = [
    [{ 'x-claude-code-session-id': 's1', 'x-claude-code-agent-id': 'a1' }, 's1', 'a1'],
    [{ 'x-codex-turn-metadata': '{"session_id":"s2","turn_id":"t","agent_name":"reviewer"}' }, 's2', 'reviewer'],
    [{ 'x-codex-turn-metadata': '{"session_id":"s2","turn_id":"t","agent_name":"/root"}' }, 's2', undefined],
    [{ 'session_id': 's3', 'x-codex-turn-metadata': '{"session_id":"s9"}' }, 's3', undefined],
    [{ 'x-codex-turn-metadata': '{"session_id":' }, undefined, undefined],
    [{ 'x-codex-turn-metadata': `{"session_id":"${'s'.repeat(9000)}"}` }, undefined, undefined],
    [{ 'x-opencode-session': 's4' }, 's4', undefined],
    [{ 'x-waybill-conversation': 's5', 'x-session-id': 's6' }, 's5', undefined],
    [{}, undefined, undefined],
  ];
  for (const [headers, conversation, agent] of rows) {
    it(JSON.stringify(headers).slice(0, 80), () => {
      assert.deepEqual([callerOf(headers).conversation, agentOf(headers)], [conversation, agent]);
    });
  }
});
