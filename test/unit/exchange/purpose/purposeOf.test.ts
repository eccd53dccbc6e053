import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scanObject } from '../../../../server/base/objectScan.ts';
import { ExchangeRoutingRequest } from '../../../../server/exchange/conversation/routingRequest.ts';
import type { PurposeServices } from '../../../../server/exchange/purpose/purposeOf.ts';
import { encodedConversation, type ExchangeInput } from '../../../../server/exchange/request.ts';
import { DecisionMemory } from '../../../../server/routing/purpose/decisionMemory.ts';

const services = (): PurposeServices => ({ decisions: new DecisionMemory(), clock: { now: () => 0 } });
const question = { role: 'user', content: 'Is the non-compete clause in this contract enforceable in court?' };
const call = (id: string): unknown => ({ role: 'assistant', tool_calls: [{ id, type: 'function', function: { name: 'read', arguments: JSON.stringify({ line: id }) } }] });
const result = (content: string): unknown => ({ role: 'tool', tool_call_id: '1', content });

function request(messages: readonly unknown[], given: Partial<ExchangeInput>, known: PurposeServices): ExchangeRoutingRequest {
  const bytes = Buffer.from(JSON.stringify({ model: 'coding', messages }));
  const body = encodedConversation({ bytes, scan: scanObject(bytes) ?? assert.fail(), protocolHeaders: {}, includeUsage: false }, false, () => assert.fail('the body is decoded'));
  const input: ExchangeInput = {
    id: 'x', inbound: 'http', protocol: 'openai-chat', requestedModel: 'coding', stream: true, caller: { tool: 'http', conversation: 'c1' }, headers: {}, patienceMs: 0, body,
    requirements: { tools: true, images: false, documents: false, jsonSchema: false, estimatedInputTokens: 1 }, ...given,
  };
  return new ExchangeRoutingRequest(input, 'normal', known);
}

describe('the purpose of a request', () => {
  it('is kept for its conversation and agent through a loop of tools', () => {
    const known = services();
    const loop = Array.from({ length: 20 }, (_, index) => [call(`${index}`), result(`line ${index}`)]).flat();
    assert.equal(request([question], {}, known).purpose?.kind, 'high-quality');
    assert.equal(request([question, ...loop], {}, known).purpose?.kind, 'high-quality', 'the question is too far back to be read');
    assert.equal(request([question, ...loop], { caller: { tool: 'http', conversation: 'c2' } }, known).purpose?.kind, 'balanced');
    assert.equal(request([question, ...loop], { agent: 'a1' }, known).purpose?.kind, 'balanced', 'a subagent is a conversation of its own');
  });

  it('goes up by one in a loop that is stuck', () => {
    const known = services();
    const stuck = [call('1'), result('Error: a'), call('2'), result('Error: b'), call('3'), result('Error: c')];
    const code = { role: 'user', content: 'Add pagination to the orders endpoint and write unit tests' };
    assert.equal(request([code], {}, known).purpose?.kind, 'balanced');
    const { purpose } = request([code, ...stuck], {}, known);
    assert.deepEqual([purpose?.kind, purpose?.stalled], ['high-quality', true]);
    assert.match(purpose?.why ?? '', /, and the last 3 tool calls failed$/);
  });

  it('is found out once, and not without the services for it', () => {
    const known = services();
    const one = request([question], {}, known);
    assert.equal(one.purpose, one.purpose);
    assert.equal(new ExchangeRoutingRequest({} as ExchangeInput, 'normal').purpose, undefined);
  });

  it('comes from headers before the text, and holds nothing of either', () => {
    const { purpose } = request([question], { headers: { 'authorization': 'Bearer sk-secret', 'x-claude-code-request-class': 'compaction' } }, services());
    assert.deepEqual(purpose, { role: 'compaction', kind: 'low-cost', why: 'Claude Code calls it compaction' });
  });
});
