import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chatProblem } from '../../../../client/chat/chatOutcome.ts';
import { ResponseAssembler, usageJson } from '../../../../client/chat/responseParts.ts';
import type { ChatEvent } from '../../../../server/api/messages.ts';
import { plainError } from '../../../../client/base/errors.ts';

function run(events: ChatEvent[]) {
  const assembler = new ResponseAssembler();
  return { assembler, parts: events.flatMap(event => assembler.accept(event)) };
}
const call = (index: number, id: string, ...pieces: string[]): ChatEvent[] => [
  { type: 'tool-call-start', index, id, name: 'read' },
  ...pieces.map((text): ChatEvent => ({ type: 'tool-call-arguments', index, text })),
];

describe('ResponseAssembler', () => {
  it('hands text over as it comes', () => {
    const { parts, assembler } = run([{ type: 'start' }, { type: 'text', text: 'Hel' }, { type: 'text', text: '' }, { type: 'text', text: 'lo' }]);
    assert.deepEqual(parts, [{ kind: 'text', text: 'Hel' }, { kind: 'text', text: 'lo' }]);
    assert.equal(assembler.shown, true);
  });

  it('hands a tool call over only when it is complete', () => {
    const { parts } = run([...call(0, 'a', '{"path":', '"x"}'), ...call(1, 'b', '{"half":')]);
    assert.deepEqual(parts, []);
    const complete = run([...call(0, 'a', '{"path":', '"x"}'), ...call(1, 'b'), { type: 'tool-call-end', index: 1 }, { type: 'tool-call-end', index: 0 }]);
    assert.deepEqual(complete.parts, [
      { kind: 'tool-call', callId: 'b', name: 'read', input: {} },
      { kind: 'tool-call', callId: 'a', name: 'read', input: { path: 'x' } },
    ]);
  });

  it('refuses a complete call whose arguments are no JSON object, and names the tool', () => {
    for (const pieces of ['{"path":', '[1]', '"text"', '7']) {
      assert.throws(() => run([...call(0, 'a', pieces), { type: 'tool-call-end', index: 0 }]), /tool "read" with arguments that are not valid JSON: send the message again/, pieces);
    }
  });

  it('takes the free text of a custom tool as its input', () => {
    const { parts } = run([{ type: 'tool-call-start', index: 0, id: 'a', name: 'patch', kind: 'custom' }, { type: 'tool-call-arguments', index: 0, text: '*** not JSON' }, { type: 'tool-call-end', index: 0 }]);
    assert.deepEqual(parts, [{ kind: 'tool-call', callId: 'a', name: 'patch', input: { input: '*** not JSON' } }]);
  });

  it('closes reasoning before anything else follows, also when the provider does not say that it ended', () => {
    const { parts } = run([{ type: 'thinking', text: 'Hm.' }, { type: 'text', text: 'Yes.' }]);
    assert.deepEqual(parts, [
      { kind: 'thinking', text: 'Hm.' },
      { kind: 'thinking-done', metadata: { _completeThinking: 'Hm.', vscode_reasoning_done: true } },
      { kind: 'text', text: 'Yes.' },
    ]);
  });

  it('closes each run of reasoning once', () => {
    const { parts } = run([{ type: 'thinking', text: 'a' }, { type: 'thinking-end', signature: 's' }, { type: 'thinking-end' }, { type: 'finish', reason: 'end' }]);
    assert.equal(parts.filter(part => part.kind === 'thinking-done').length, 1);
  });

  it('reports the usage last, with buckets of the prompt summed and later counts in place of earlier ones', () => {
    const { assembler } = run([
      { type: 'usage', usage: { inputTokens: 10, cacheReadTokens: 90, cacheWriteTokens: 5, outputTokens: 1 } },
      { type: 'text', text: 'Hi' }, { type: 'thinking', text: 'left open' },
      { type: 'usage', usage: { outputTokens: 20, reasoningTokens: 8 } },
    ]);
    const parts = assembler.end({});
    assert.equal(parts.at(-1)?.kind, 'usage');
    const usage = parts.at(-1);
    assert.deepEqual(usage?.kind === 'usage' ? JSON.parse(usage.json) : undefined, {
      prompt_tokens: 105, completion_tokens: 20, total_tokens: 125,
      prompt_tokens_details: { cached_tokens: 90 }, completion_tokens_details: { reasoning_tokens: 8 },
    });
    assert.equal(parts[0]?.kind, 'thinking-done');
  });

  it('reports no usage when a side of it is unknown', () => {
    assert.equal(usageJson({}), undefined);
    assert.equal(usageJson({ inputTokens: 5 }), undefined);
    assert.equal(usageJson({ outputTokens: 5 }), undefined);
  });

  it('after a restart, text stays, half calls are void, and the sentence stands between', () => {
    const { parts } = run([
      { type: 'text', text: 'The answer is' }, ...call(0, 'a', '{"half'),
      { type: 'restart', message: 'openai broke off; claude answers instead.' },
      { type: 'text', text: 'The answer is 4.' }, { type: 'tool-call-end', index: 0 },
    ]);
    assert.deepEqual(parts, [
      { kind: 'text', text: 'The answer is' },
      { kind: 'text', text: '\n\n> openai broke off; claude answers instead.\n\n' },
      { kind: 'text', text: 'The answer is 4.' },
    ]);
  });
});

describe('chatProblem', () => {
  const failed = { outcome: 'failed', error: { failureClass: 'quota', message: 'openai has no money left: add some.' } } as const;
  it('is absent when the answer is there or the user cancelled', () => {
    assert.equal(chatProblem({ outcome: 'ok' }, true, 'end'), undefined);
    assert.equal(chatProblem({ outcome: 'cancelled' }, false, undefined), undefined);
    assert.equal(chatProblem({ outcome: 'cancelled', error: { failureClass: 'cancelled', message: 'The request was cancelled in Waybill.' } }, true, undefined), 'The request was cancelled in Waybill.');
  });
  it('passes the server\'s sentence on', () => {
    assert.equal(chatProblem(failed, false, undefined), 'openai has no money left: add some.');
  });
  it('says that what is shown is incomplete when the stream broke after it', () => {
    assert.equal(chatProblem(failed, true, undefined), 'The answer above is incomplete. openai has no money left: add some.');
  });
  it('explains an answer without text', () => {
    assert.match(chatProblem({ outcome: 'ok' }, false, 'end') ?? '', /without any text/);
    assert.match(chatProblem({ outcome: 'ok' }, false, 'length') ?? '', /output limit/);
    assert.match(chatProblem({ outcome: 'ok' }, false, 'context-full') ?? '', /context window/);
  });
});

describe('plainError', () => {
  it('carries no stack, which the chat would print', () => {
    const error = plainError('One sentence.');
    assert.equal(error.stack, undefined);
    assert.equal(error.message, 'One sentence.');
    assert.ok(error instanceof Error);
  });
});
