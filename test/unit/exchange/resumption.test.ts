import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConversationEvent, ConversationRequest } from '../../../server/api/conversation.ts';
import { Resumption } from '../../../server/exchange/resumption.ts';

const question: ConversationRequest = { system: [], messages: [{ role: 'user', content: [{ type: 'text', text: 'Tell me of the sea.' }] }], tools: [] };
const text = (piece: string): ConversationEvent => ({ type: 'text', text: piece });

function said(events: readonly ConversationEvent[]): string {
  return events.map(event => (event.type === 'text' ? event.text : '')).join('');
}

describe('an answer that another target resumes', () => {
  it('passes on text as it arrives, and asks the next target to continue from its end', () => {
    const resumption = new Resumption();
    assert.equal(said(resumption.pass([{ type: 'start', id: 'one', model: 'm' }, text('The sea '), text('is wide')])), 'The sea is wide');
    resumption.begin([{ usage: { inputTokens: 5, outputTokens: 4 } }]);
    const { messages } = resumption.request(question);
    assert.deepEqual(messages.map(message => message.role), ['user', 'assistant', 'user']);
    assert.deepEqual(messages[1]?.content, [{ type: 'text', text: 'The sea is wide' }]);
  });

  it('shows neither the opening nor the reasoning of the second target, and counts what both used', () => {
    const resumption = new Resumption();
    resumption.pass([text('The sea is wide')]);
    resumption.begin([{ usage: { inputTokens: 5, outputTokens: 4 } }]);
    const passed = resumption.pass([
      { type: 'start', id: 'two', model: 'n' }, { type: 'thinking', text: 'hm' }, { type: 'thinking-end', signature: 'x' }, text(' and deep.'),
      { type: 'usage', usage: { inputTokens: 12, outputTokens: 3 } }, { type: 'finish', reason: 'end' },
    ]);
    assert.deepEqual(passed, [text(' and deep.'), { type: 'usage', usage: { inputTokens: 17, outputTokens: 7 } }, { type: 'finish', reason: 'end' }]);
  });

  for (const pieces of [[' sea is very wide indeed and deep.'], [' sea is', ' very wide', ' indeed', ' and deep.'], [...' sea is very wide indeed and deep.']]) {
    it(`leaves out what the second target repeats, in ${pieces.length} pieces`, () => {
      const resumption = new Resumption();
      const before = said(resumption.pass([text('The sea is very wide indeed')]));
      resumption.begin([]);
      const after = resumption.pass([...pieces.map(text), { type: 'finish', reason: 'end' }]);
      assert.equal(before + said(after), 'The sea is very wide indeed and deep.');
    });
  }

  for (const pieces of [['<complete/>'], ['<com', 'plete', '/>\n'], [...' <complete/>']]) {
    it(`adds nothing when the second target says that nothing is missing, in ${pieces.length} pieces`, () => {
      const resumption = new Resumption();
      resumption.pass([text('The sea is wide.')]);
      resumption.begin([]);
      assert.equal(said(resumption.pass([...pieces.map(text), { type: 'finish', reason: 'end' }])), '');
    });
  }

  it('keeps text that only resembles the marker <complete/>', () => {
    const resumption = new Resumption();
    resumption.pass([text('Tags are written ')]);
    resumption.begin([]);
    assert.equal(said(resumption.pass([text('<comp'), text('ose> and <complete/>'), { type: 'finish', reason: 'end' }])), '<compose> and <complete/>');
  });

  it('counts what both used when the second target reports its usage in parts', () => {
    const resumption = new Resumption();
    resumption.pass([text('The sea is wide')]);
    resumption.begin([{ usage: { inputTokens: 5, outputTokens: 4 } }]);
    const passed = resumption.pass([
      { type: 'usage', usage: { inputTokens: 12, outputTokens: 1 } }, text(' and deep.'), { type: 'usage', usage: { outputTokens: 3 } },
    ]);
    assert.deepEqual(passed.filter(event => event.type === 'usage').at(-1)?.usage, { inputTokens: 17, outputTokens: 7 });
    resumption.begin([{ usage: { inputTokens: 17, outputTokens: 7 } }]);
    assert.deepEqual(resumption.pass([{ type: 'usage', usage: { outputTokens: 2 } }]), [{ type: 'usage', usage: { inputTokens: 17, outputTokens: 9 } }], 'the count of a third target begins at zero');
  });

  it('leaves the next target the unused part of the caller\'s output limit', () => {
    const resumption = new Resumption();
    resumption.pass([text('The sea is wide')]);
    resumption.begin([{ usage: { inputTokens: 5, outputTokens: 40 } }]);
    assert.equal(resumption.request({ ...question, maxOutputTokens: 100 }).maxOutputTokens, 60);
    assert.equal(resumption.request({ ...question, maxOutputTokens: 40 }).maxOutputTokens, 1, 'the smallest limit is one token');
    assert.equal(resumption.request(question).maxOutputTokens, undefined);
  });

  it('is not resumed after text of a refusal', () => {
    const resumption = new Resumption();
    resumption.pass([{ type: 'refusal', text: 'I cannot' }]);
    assert.equal(resumption.possible, false);
  });

  it('treats a repetition of a few letters as coincidence', () => {
    const resumption = new Resumption();
    const before = said(resumption.pass([text('one and ')]));
    resumption.begin([]);
    assert.equal(before + said(resumption.pass([text('and two'), { type: 'finish', reason: 'end' }])), 'one and and two');
  });

  it('passes on a tool call only when it is whole, and discards an incomplete one', () => {
    const resumption = new Resumption();
    const half = resumption.pass([text('I look it up.'), { type: 'tool-call-start', index: 0, id: 'a', name: 'look' }, { type: 'tool-call-arguments', index: 0, text: '{"pl' }]);
    assert.deepEqual(half, [text('I look it up.')]);
    assert.equal(resumption.possible, true);
    resumption.begin([]);
    const whole: ConversationEvent[] = [
      { type: 'tool-call-start', index: 0, id: 'b', name: 'look' }, { type: 'tool-call-arguments', index: 0, text: '{}' }, { type: 'tool-call-end', index: 0 },
    ];
    assert.deepEqual(resumption.pass(whole), whole);
    assert.equal(resumption.possible, false, 'a call that was passed on must not be made twice');
  });

  it('sends the same request again when no content has been passed on', () => {
    const resumption = new Resumption();
    resumption.pass([{ type: 'thinking', text: 'hm' }]);
    resumption.begin([]);
    assert.deepEqual(resumption.request(question), question);
  });
});
