import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Caller } from '../../../../server/api/receipt.ts';
import { scanObject } from '../../../../server/base/objectScan.ts';
import type { CapConfig, RouteConfig } from '../../../../server/config/config.ts';
import { ExchangeRoutingRequest } from '../../../../server/exchange/conversation/routingRequest.ts';
import { conversationBody, encodedConversation, type ExchangeInput, type RequestBody } from '../../../../server/exchange/request.ts';
import type { Spending } from '../../../../server/exchange/services.ts';
import { Allowances } from '../../../../server/limits/allowances/allowances.ts';
import { MemoryAllowanceStore } from '../../../../server/limits/allowances/memoryAllowanceStore.ts';
import { DecisionMemory } from '../../../../server/routing/purpose/decisionMemory.ts';

const caps: CapConfig = { limits: (['request', 'turn', 'conversation', 'session'] as const).map(scope => ({ scope, microUsd: 1000 })), whenReached: 'stop' };

interface Given { caller?: Partial<Caller>; agent?: string; headers?: Record<string, string>; inbound?: ExchangeInput['inbound'] }

/** Requests before one server. */
class Server {
  now = 0;
  readonly allowances = new Allowances(new MemoryAllowanceStore());
  readonly spending: Spending = { allowances: this.allowances, expectedMicroUsd: () => 1, cost: () => ({ certainty: 'unknown' }), pricesReady: () => undefined, window: 'window 1' };
  #requests = 0;

  /** What a request is counted under, by scope. */
  keys(body: unknown, given: Given = {}, of?: RouteConfig): Record<string, string> {
    const bytes = Buffer.from(JSON.stringify(body));
    const held: RequestBody = given.inbound === 'lsp' ? conversationBody(body as never)
      : encodedConversation({ bytes, scan: scanObject(bytes) ?? assert.fail(), protocolHeaders: {}, includeUsage: false }, false, () => assert.fail('the body is decoded'));
    this.#requests += 1;
    const request = new ExchangeRoutingRequest({
      id: `x${String(this.#requests)}`, inbound: given.inbound ?? 'http', protocol: 'openai-chat', requestedModel: 'auto', stream: true, caller: { tool: 'http', ...given.caller }, agent: given.agent, headers: given.headers ?? {},
      patienceMs: 0, body: held, requirements: { tools: true, images: false, documents: false, jsonSchema: false, estimatedInputTokens: bytes.length },
    }, 'normal', { decisions: new DecisionMemory(), clock: { now: () => this.now }, spending: this.spending });
    const spend = request.spend(of === undefined ? caps : undefined, of, false) ?? assert.fail();
    return Object.fromEntries(spend.left.flatMap(one => (one.budget === undefined ? [[one.scope, one.key]] : [])));
  }
}

/** A question, a loop of so many tool calls behind it, and more. */
const protocols: Record<string, (question: string, calls: number, ...before: string[]) => unknown> = {
  'Chat': (question, calls, ...before) => ({
    messages: [{ role: 'system', content: 'You code.' }, ...before.flatMap(text => [{ role: 'user', content: text }, { role: 'assistant', content: 'done' }]), { role: 'user', content: question },
      ...Array.from({ length: calls }, (_, index) => [{ role: 'assistant', tool_calls: [{ id: `${index}`, type: 'function', function: { name: 'read', arguments: '{}' } }] }, { role: 'tool', tool_call_id: `${index}`, content: `line ${'x'.repeat(index * 1000)}` }]).flat()],
  }),
  'Messages': (question, calls, ...before) => ({
    system: 'You code.',
    messages: [...before.flatMap(text => [{ role: 'user', content: text }, { role: 'assistant', content: 'done' }]), { role: 'user', content: [{ type: 'text', text: question, ...(calls === 0 ? { cache_control: { type: 'ephemeral' } } : {}) }] },
      ...Array.from({ length: calls }, (_, index) => [{ role: 'assistant', content: [{ type: 'tool_use', id: `${index}`, name: 'read', input: {} }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: `${index}`, content: 'line' }, { type: 'text', text: '<system-reminder>Todo.</system-reminder>' }] }]).flat()],
  }),
  'Responses': (question, calls, ...before) => ({
    instructions: 'You code.',
    input: [...before.flatMap(text => [{ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }, { type: 'message', role: 'assistant', content: [] }]), { type: 'message', role: 'user', content: [{ type: 'input_text', text: question }] },
      ...Array.from({ length: calls }, (_, index) => [{ type: 'function_call', call_id: `${index}`, name: 'read', arguments: '{}' }, { type: 'function_call_output', call_id: `${index}`, output: 'line' }]).flat()],
  }),
  'Gemini': (question, calls, ...before) => ({
    systemInstruction: { parts: [{ text: 'You code.' }] },
    contents: [...before.flatMap(text => [{ role: 'user', parts: [{ text }] }, { role: 'model', parts: [{ text: 'done' }] }]), { role: 'user', parts: [{ text: question }] },
      ...Array.from({ length: calls }, () => [{ role: 'model', parts: [{ functionCall: { name: 'read', args: {} } }] }, { role: 'user', parts: [{ functionResponse: { name: 'read', response: { output: 'line' } } }] }]).flat()],
  }),
};
const editor = (question: string, calls: number, ...before: string[]): unknown => ({
  system: [{ type: 'text', text: 'You code.' }], tools: [],
  messages: [...before.flatMap(text => [{ role: 'user', content: [{ type: 'text', text }] }, { role: 'assistant', content: [] }]), { role: 'user', content: [{ type: 'text', text: question }] },
    ...Array.from({ length: calls }, (_, index) => [{ role: 'assistant', content: [{ type: 'tool-call', id: `${index}`, name: 'read', arguments: '{}' }] }, { role: 'user', content: [{ type: 'tool-result', callId: `${index}`, content: [{ type: 'text', text: 'line' }] }] }]).flat()],
});

describe('what a request is counted under', () => {
  for (const [name, body, given] of [...Object.entries(protocols).map(([protocol, make]) => [protocol, make, {}] as const), ['the editor', editor, { inbound: 'lsp' }] as const]) {
    it(`is one turn through a loop of tools of any length, and another for the next message: ${name}`, () => {
      const server = new Server();
      const first = server.keys(body('fix it', 0), given);
      for (const calls of [0, 1, 2, 40, 60]) assert.equal(server.keys(body('fix it', calls), given)['turn'], first['turn'], `${String(calls)} calls`);
      const next = server.keys(body('go on', 0, 'fix it'), given);
      assert.notEqual(next['turn'], first['turn']);
      assert.equal(next['conversation'], first['conversation']);
      assert.equal(server.keys(body('go on', 3, 'fix it'), given)['turn'], next['turn']);
      const again = server.keys(body('go on', 0, 'fix it', 'go on'), given);
      assert.notEqual(again['turn'], next['turn'], 'the same words, asked again');
      assert.equal(server.keys(body('go on', 2, 'fix it', 'go on'), given)['turn'], again['turn']);
      assert.notEqual(next['request'], again['request']);
    });
  }

  it('is the turn and session of the conversation that started an agent', () => {
    const server = new Server();
    const caller = { tool: 'claude-code', conversation: 's1' };
    const body = protocols['Messages'] ?? assert.fail();
    const main = server.keys(body('fix it', 2), { caller });
    const agent = server.keys(body('look around', 0), { caller, agent: 'a1' });
    assert.deepEqual([agent['turn'], agent['session']], [main['turn'], main['session']]);
    assert.notEqual(agent['conversation'], main['conversation']);
    const child = server.keys(body('look around', 0), { caller: { tool: 'claude-code', conversation: 's2' }, headers: { 'x-parent-session-id': 's1' } });
    assert.deepEqual([child['turn'], child['session']], [main['turn'], main['session']]);
  });

  it('is a session by the id of the caller, by the window, or until a tool pauses for an hour', () => {
    const server = new Server();
    const body = protocols['Chat'] ?? assert.fail();
    const session = (given: Given, question = 'hi'): string | undefined => server.keys(given.inbound === 'lsp' ? editor(question, 0) : body(question, 0), given)['session'];
    assert.equal(session({ caller: { conversation: 'a' } }), session({ caller: { conversation: 'a' } }, 'else'));
    assert.notEqual(session({ caller: { conversation: 'a' } }), session({ caller: { conversation: 'b' } }));
    assert.equal(session({ inbound: 'lsp', caller: { conversation: 'a' } }), session({ inbound: 'lsp', caller: { conversation: 'b' } }));
    const unnamed = session({});
    server.now += 3_000_000;
    assert.equal(session({}, 'another conversation'), unnamed);
    assert.notEqual(session({ caller: { tool: 'aider' } }), unnamed);
    server.now += 3_700_000;
    assert.notEqual(session({}), unnamed);
  });

  it('holds no text of the prompt, and is apart for routes', () => {
    const server = new Server();
    const all = server.keys(editor('a secret plan', 0), { inbound: 'lsp' });
    const route = server.keys(editor('a secret plan', 0), { inbound: 'lsp' }, { name: 'auto', caps } as RouteConfig);
    assert.doesNotMatch(JSON.stringify(all), /secret|plan/);
    for (const [scope, key] of Object.entries(all)) assert.notEqual(route[scope], key);
  });
});
