import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { callerFrom } from '../../../../client/chat/caller.ts';
import { conversationFrom } from '../../../../client/chat/conversationFrom.ts';
import { thinkingEffortSchema } from '../../../../client/chat/offeredModels.ts';
import { ResponseAssembler } from '../../../../client/chat/responseParts.ts';
import type { ChatEvent } from '../../../../server/api/messages.ts';

/** The editor's classes, as their instances look at run time. */
const text = (value: string) => ({ value, audience: undefined });
const thinking = (value: string | string[], id?: string, metadata?: Record<string, unknown>) => ({ value, id, metadata });
const toolCall = (callId: string, name: string, input: unknown) => ({ callId, name, input });
const toolResult = (callId: string, content: unknown[]) => ({ callId, content });
const dataPart = (mimeType: string, bytes: string | Uint8Array) => ({ mimeType, data: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes });
const user = (...content: unknown[]) => ({ role: 1, content });
const assistant = (...content: unknown[]) => ({ role: 2, content });
const system = (...content: unknown[]) => ({ role: 3, content });

describe('conversationFrom', () => {
  it('takes leading system messages as instructions and later ones as messages', () => {
    const request = conversationFrom([system(text('Be brief.')), user(text('Hi')), system(text('Now in French.'))], {});
    assert.deepEqual(request.system, [{ type: 'text', text: 'Be brief.' }]);
    assert.deepEqual(request.messages, [
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'system', content: [{ type: 'text', text: 'Now in French.' }] },
    ]);
  });

  it('joins neighbouring texts and leaves empty messages out', () => {
    const request = conversationFrom([user(text('a'), text('b')), user(), assistant(text(''))], {});
    assert.deepEqual(request.messages, [{ role: 'user', content: [{ type: 'text', text: 'ab' }] }]);
  });

  it('takes images and PDFs, and text files as text', () => {
    const png = new Uint8Array([0, 1, 2, 250, 251, 252]).subarray(3);
    const request = conversationFrom([user(dataPart('image/PNG', png), dataPart('application/pdf', '%PDF'), dataPart('application/json', '{"a":1}'))], {});
    assert.deepEqual(request.messages[0]?.content, [
      { type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: '+vv8' } },
      { type: 'document', mimeType: 'application/pdf', source: { kind: 'base64', data: 'JVBERg==' } },
      { type: 'text', text: '{"a":1}' },
    ]);
  });

  it('ignores the notes the editor and its own providers leave in messages, and parts of unknown types', () => {
    for (const part of [dataPart('cache_control', 'ephemeral'), dataPart('usage', '{}'), dataPart('stateful_marker', 'x'), dataPart('video/mp4', 'x'),
      null, undefined, 7, {}, { value: 7 }, { callId: 'x' }, { kind: 'newPart', payload: {} }]) {
      assert.deepEqual(conversationFrom([user(part)], {}).messages, [], JSON.stringify(part));
    }
  });

  it('keeps tool calls and their results together, with the tool\'s name', () => {
    const request = conversationFrom([
      assistant(text('Reading.'), toolCall('call-1', 'readFile', { path: 'a.ts' }), toolCall('call-2', 'listFiles', undefined)),
      user(toolResult('call-1', [text('one'), dataPart('image/png', new Uint8Array([1]))]), toolResult('call-2', [])),
    ], {});
    assert.deepEqual(request.messages[0]?.content.slice(1), [
      { type: 'tool-call', id: 'call-1', name: 'readFile', arguments: '{"path":"a.ts"}' },
      { type: 'tool-call', id: 'call-2', name: 'listFiles', arguments: '{}' },
    ]);
    assert.deepEqual(request.messages[1]?.content, [
      { type: 'tool-result', callId: 'call-1', name: 'readFile', content: [{ type: 'text', text: 'one' }, { type: 'image', mimeType: 'image/png', source: { kind: 'base64', data: 'AQ==' } }] },
      { type: 'tool-result', callId: 'call-2', name: 'listFiles', content: [] },
    ]);
  });

  it('reads the text of a prompt tree in a tool result', () => {
    const tree = { node: { type: 1, children: [{ type: 2, text: 'first' }, { type: 1, children: [{ type: 2, text: 'second', lineBreakBefore: true }] }] } };
    const request = conversationFrom([user(toolResult('call-1', [{ value: tree }]))], {});
    assert.deepEqual(request.messages[0]?.content, [{ type: 'tool-result', callId: 'call-1', content: [{ type: 'text', text: 'first\nsecond' }] }]);
  });

  it('takes tools with their schemas, and gives one to a tool that has none', () => {
    const schema = { type: 'object', properties: { path: { type: 'string' } } };
    const request = conversationFrom([user(text('x'))], { tools: [{ name: 'read', description: 'Reads', inputSchema: schema }, { name: 'now', description: '' }], toolMode: 1 });
    assert.deepEqual(request.tools, [{ name: 'read', description: 'Reads', parameters: schema }, { name: 'now', parameters: { type: 'object', properties: {} } }]);
    assert.deepEqual(request.toolChoice, { type: 'auto' });
  });

  it('requires a tool call when the caller does, and says nothing without tools', () => {
    const tools = [{ name: 'now', description: 'x' }];
    assert.deepEqual(conversationFrom([], { tools, toolMode: 2 }).toolChoice, { type: 'required' });
    assert.equal(conversationFrom([], { toolMode: 2 }).toolChoice, undefined);
  });

  it('honours the sampling options a caller sets and forwards none of the editor\'s own notes', () => {
    const request = conversationFrom([], { modelOptions: { temperature: 0, top_p: 0.5, max_tokens: 100.7, stop: 'END', _conversationId: 'c', _telemetryTurn: 3, other: 'x' } });
    assert.deepEqual(request, { system: [], messages: [], tools: [], temperature: 0, topP: 0.5, maxOutputTokens: 100, stop: ['END'] });
  });

  it('sets no output limit by itself', () => {
    assert.ok(!('maxOutputTokens' in conversationFrom([user(text('x'))], { modelOptions: { max_tokens: 'many' } })));
  });

  it('asks for no thinking while the picker stands on its default', () => {
    const { default: standing } = thinkingEffortSchema.properties.reasoningEffort;
    assert.equal(conversationFrom([], { modelConfiguration: { reasoningEffort: standing } }).reasoning, undefined);
  });

  it('passes the thinking effort chosen in the picker on, and ignores a nonsensical one', () => {
    assert.deepEqual(conversationFrom([], { modelConfiguration: { reasoningEffort: 'high' } }).reasoning, { effort: 'high', visible: true });
    assert.equal(conversationFrom([], { modelConfiguration: { reasoningEffort: 'enormous' } }).reasoning, undefined);
  });
});

describe('reasoning over several turns', () => {
  const turn = (events: ChatEvent[]) => {
    const assembler = new ResponseAssembler();
    return events.flatMap(event => assembler.accept(event)).map(part => {
      switch (part.kind) {
        case 'text': return text(part.text);
        case 'thinking': return thinking(part.text, '', undefined);
        case 'thinking-done': return thinking('', '', part.metadata);
        case 'tool-call': return toolCall(part.callId, part.name, part.input);
        case 'usage': return dataPart('usage', part.json);
      }
    });
  };

  it('comes back with its signature and origin, once, and before the tool call it led to', () => {
    const parts = turn([
      { type: 'thinking', text: 'Let me ' }, { type: 'thinking', text: 'see.' },
      { type: 'thinking-end', signature: 'sig', origin: 'claude/claude-sonnet-4.5' },
      { type: 'tool-call-start', index: 0, id: 'call-1', name: 'read' }, { type: 'tool-call-arguments', index: 0, text: '{}' }, { type: 'tool-call-end', index: 0 },
    ]);
    assert.deepEqual(conversationFrom([assistant(...parts)], {}).messages[0]?.content, [
      { type: 'thinking', text: 'Let me see.', signature: 'sig', origin: 'claude/claude-sonnet-4.5' },
      { type: 'tool-call', id: 'call-1', name: 'read', arguments: '{}' },
    ]);
  });

  it('keeps redacted and encrypted reasoning opaque and apart', () => {
    const parts = turn([
      { type: 'thinking-end', redacted: 'opaque-1' },
      { type: 'thinking-end', encrypted: 'opaque-2', itemId: 'rs_1' },
      { type: 'text', text: 'Done.' },
    ]);
    assert.deepEqual(conversationFrom([assistant(...parts)], {}).messages[0]?.content, [
      { type: 'thinking', text: '', redacted: 'opaque-1' },
      { type: 'thinking', text: '', encrypted: 'opaque-2', itemId: 'rs_1' },
      { type: 'text', text: 'Done.' },
    ]);
  });

  it('also comes back when the editor has gathered the pieces into one part', () => {
    const part = thinking(['Let me ', 'see.'], 'id', { signature: 'sig' });
    assert.deepEqual(conversationFrom([assistant(part)], {}).messages[0]?.content, [{ type: 'thinking', text: 'Let me see.', signature: 'sig' }]);
  });

  it('comes back as plain text when nothing signed it', () => {
    const parts = turn([{ type: 'thinking', text: 'Hm.' }, { type: 'text', text: 'Yes.' }]);
    assert.deepEqual(conversationFrom([assistant(...parts)], {}).messages[0]?.content, [{ type: 'thinking', text: 'Hm.' }, { type: 'text', text: 'Yes.' }]);
  });
});

describe('callerFrom', () => {
  const cases: { name: string; hints: Parameters<typeof callerFrom>[0]; expected: ReturnType<typeof callerFrom> }[] = [
    { name: 'the editor\'s agent mode', hints: { requestInitiator: 'github.copilot-chat', modelOptions: { _conversationId: 'c1' }, tools: [{}] }, expected: { tool: 'vscode-chat', extension: 'github.copilot-chat', workspace: 'shop', conversation: 'c1', purpose: 'agent' } },
    { name: 'a question without tools', hints: { requestInitiator: 'core', modelOptions: { _conversationId: 'c1' } }, expected: { tool: 'vscode-chat', workspace: 'shop', conversation: 'c1', purpose: 'chat' } },
    { name: 'a title for a conversation', hints: { requestInitiator: 'github.copilot-chat', tools: [] }, expected: { tool: 'vscode-chat', extension: 'github.copilot-chat', workspace: 'shop', purpose: 'utility' } },
    { name: 'another extension', hints: { requestInitiator: 'acme.helper', modelOptions: { _conversationId: 7 } }, expected: { tool: 'acme.helper', extension: 'acme.helper', workspace: 'shop', purpose: 'utility' } },
    { name: 'an editor that gives no hints', hints: {}, expected: { tool: 'vscode-chat', workspace: 'shop', purpose: 'utility' } },
  ];
  for (const { name, hints, expected } of cases) {
    it(`knows ${name}`, () => { assert.deepEqual(callerFrom(hints, 'shop'), expected); });
  }

  it('names no workspace when no folder is open', () => {
    assert.ok(!('workspace' in callerFrom({}, undefined)));
  });
});
