import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scanObject } from '../../../../server/base/objectScan.ts';
import { recentSteps } from '../../../../server/exchange/purpose/recentSteps.ts';
import { conversationBody, encodedConversation, type RequestBody } from '../../../../server/exchange/request.ts';
import type { Step } from '../../../../server/routing/purpose/steps.ts';
import { assertLinear } from '../../support/growth.ts';

function raw(body: unknown, indent?: number): RequestBody {
  const bytes = Buffer.from(JSON.stringify(body, undefined, indent));
  return encodedConversation({ bytes, scan: scanObject(bytes) ?? assert.fail(), protocolHeaders: {}, includeUsage: false }, false, () => assert.fail('the body is decoded'));
}

const words = (steps: readonly Step[]): string[] => steps.map(step => (step.type === 'asked' ? `asked ${step.text}` : step.type === 'called' ? `called ${step.call}` : step.failed ? 'failed' : 'returned'));

const read = 'called read {"path":"a.ts"}';
const question = 'Fix the "bug" in [a], {b}';

/** A tool loop after a question, in each protocol: a call that went well, and one that failed. */
const loops: Record<string, unknown> = {
  'Chat': {
    messages: [
      { role: 'system', content: 'You code.' }, { role: 'user', content: 'an earlier question' }, { role: 'assistant', content: 'done' },
      { role: 'user', content: [{ type: 'text', text: question }, { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] },
      { role: 'assistant', content: null, tool_calls: [{ id: '1', type: 'function', function: { name: 'read', arguments: '{"path":"a.ts"}' } }] }, { role: 'tool', tool_call_id: '1', content: 'const a = 1;' },
      { role: 'assistant', content: 'Now', tool_calls: [{ id: '2', type: 'function', function: { name: 'read', arguments: '{"path":"a.ts"}' } }] }, { role: 'tool', tool_call_id: '2', content: [{ type: 'text', text: 'Error: no such file' }] },
    ],
  },
  'Messages': {
    system: [{ type: 'text', text: 'You code.' }],
    messages: [
      { role: 'user', content: 'an earlier question' }, { role: 'assistant', content: 'done' },
      { role: 'user', content: [{ type: 'text', text: '<system-reminder>Summarize.</system-reminder>' }, { type: 'text', text: question }] },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 't', signature: 's' }, { type: 'tool_use', id: '1', name: 'read', input: { path: 'a.ts' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content: 'const a = 1;' }, { type: 'text', text: '<system-reminder>Todo list.</system-reminder>' }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: '2', name: 'read', input: { path: 'a.ts' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: '2', is_error: true, content: [{ type: 'text', text: 'nothing there' }] }] },
    ],
  },
  'Responses': {
    instructions: 'You code.',
    input: [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: '<environment_context>\n<cwd>/x</cwd>\n</environment_context>' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: question }] }, { type: 'reasoning', encrypted_content: 'x', summary: [] },
      { type: 'function_call', call_id: '1', name: 'read', arguments: '{"path":"a.ts"}' }, { type: 'function_call_output', call_id: '1', output: 'const a = 1;' },
      { type: 'function_call', call_id: '2', name: 'read', arguments: '{"path":"a.ts"}' }, { type: 'function_call_output', call_id: '2', output: 'Exit code: 1\nWall time: 0.1 seconds' },
    ],
  },
  'Gemini': {
    systemInstruction: { parts: [{ text: 'You code.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'an earlier question' }] }, { role: 'model', parts: [{ text: 'done' }] }, { parts: [{ text: question }] },
      { role: 'model', parts: [{ text: 'thinking', thought: true }, { functionCall: { name: 'read', args: { path: 'a.ts' } } }] }, { role: 'user', parts: [{ functionResponse: { name: 'read', response: { output: 'const a = 1;' } } }] },
      { role: 'model', parts: [{ functionCall: { name: 'read', args: { path: 'a.ts' } } }] }, { role: 'user', parts: [{ functionResponse: { name: 'read', response: { error: 'no such file' } } }] },
    ],
  },
};

describe('the end of a conversation', () => {
  for (const [protocol, body] of Object.entries(loops)) {
    it(`is what was asked last and the tool calls behind it: ${protocol}`, () => {
      for (const indent of [undefined, 2]) {
        const { steps, instructions } = recentSteps(raw(body, indent));
        assert.deepEqual(words(steps), [`asked ${question}`, read, 'returned', read, 'failed']);
        assert.match(instructions, /You code\./);
      }
    });
  }

  it('is read in the internal form too', () => {
    const { steps, instructions } = recentSteps(conversationBody({
      system: [{ type: 'text', text: 'You code.' }], tools: [],
      messages: [
        { role: 'user', content: [{ type: 'text', text: question }] },
        { role: 'assistant', content: [{ type: 'tool-call', id: '1', name: 'read', arguments: '{"path":"a.ts"}' }] },
        { role: 'user', content: [{ type: 'tool-result', callId: '1', isError: true, content: [{ type: 'text', text: 'x' }] }] },
      ],
    }));
    assert.deepEqual([words(steps), instructions], [[`asked ${question}`, read, 'failed'], 'You code.']);
  });

  it('is a plain text, a prompt, or nothing', () => {
    assert.deepEqual(words(recentSteps(raw({ input: question })).steps), [`asked ${question}`]);
    assert.deepEqual(words(recentSteps(raw({ contents: [] })).steps), []);
    assert.deepEqual(words(recentSteps(raw({ messages: 'x', model: 'm' })).steps), ['asked x']);
    assert.deepEqual(words(recentSteps(raw({ messages: [null, 1, 'Go', { role: 'user' }, { content: {} }] })).steps), ['asked Go']);
    assert.deepEqual(recentSteps({ kind: 'embedding', request: { input: ['a'] } }).steps, []);
    assert.deepEqual(words(recentSteps({ kind: 'completion', request: { prompt: 'const a' } as never }).steps), ['asked const a']);
    assert.deepEqual(recentSteps(encodedConversation(undefined, false, () => { throw new Error('no body'); })).steps, []);
  });

  it('is seen in messages that are too long to be parsed', () => {
    const long = 'text with "quotes"\n'.repeat(4000);
    const { steps } = recentSteps(raw({ messages: [
      { role: 'user', content: `Tóm tắt giúp mình\n${long}` }, { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'read', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', is_error: true, content: long }] },
    ] }));
    assert.deepEqual(steps.map(({ type }) => type), ['asked', 'called', 'returned']);
    const [asked, , returned] = steps;
    assert.ok(asked?.type === 'asked' && asked.text.includes('Tóm tắt giúp mình') && asked.text.length < 8_100);
    assert.ok(returned?.type === 'returned' && returned.failed);
  });

  it('takes the same time however long the conversation is', () => {
    const body = (turns: number): RequestBody => raw({ messages: Array.from({ length: turns }, (_, index) => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: `${index}`, content: 'x "y" '.repeat(200) }] })) });
    const [small, large] = [body(200), body(2000)];
    assertLinear('the end of a conversation', () => { for (let run = 0; run < 100; run++) recentSteps(small); }, () => { for (let run = 0; run < 100; run++) recentSteps(large); });
    assert.equal(recentSteps(large).steps.length, 16);
  });
});
