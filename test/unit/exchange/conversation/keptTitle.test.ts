import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scanObject } from '../../../../server/base/objectScan.ts';
import { SecretRegister } from '../../../../server/base/secrets/redact.ts';
import { keptTitle } from '../../../../server/exchange/conversation/keptTitle.ts';
import { conversationBody, encodedConversation, type RequestBody } from '../../../../server/exchange/request.ts';

const register = new SecretRegister();

function raw(body: unknown): RequestBody {
  const bytes = Buffer.from(JSON.stringify(body));
  return encodedConversation({ bytes, scan: scanObject(bytes) ?? assert.fail(), protocolHeaders: {}, includeUsage: false }, false, () => assert.fail('the body is decoded'));
}
const titleOf = (body: unknown): string | undefined => keptTitle({ body: raw(body) }, register);
const chat = (content: unknown): unknown => ({ messages: [{ role: 'system', content: 'You are a poet.' }, { role: 'user', content }, { role: 'assistant', content: 'No.' }, { role: 'user', content: 'Why not?' }] });

describe('the title of a conversation', () => {
  const sentence = 'Rename the "shop" folder, {please}';
  const protocols: Record<string, unknown> = {
    'Chat': chat(sentence),
    'Chat with parts': chat([{ type: 'image_url', image_url: { url: 'data:,' } }, { type: 'text', text: sentence }]),
    'Messages': { system: 'You code.', messages: [{ role: 'user', content: [{ type: 'text', text: sentence }] }] },
    'Responses': { instructions: 'You code.', input: [{ type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'Be brief.' }] }, { type: 'message', role: 'user', content: [{ type: 'input_text', text: sentence }] }] },
    'Responses with one text': { input: sentence },
    'Gemini': { contents: [{ role: 'user', parts: [{ text: sentence }] }] },
  };
  for (const [protocol, body] of Object.entries(protocols)) it(`is what the user wrote first: ${protocol}`, () => { assert.equal(titleOf(body), sentence); });

  it('is the same for a conversation of the editor', () => {
    const text = `<environment_info>Linux</environment_info>\n<userRequest>\n${sentence}\n</userRequest>`;
    const body = conversationBody({ system: [], messages: [{ role: 'user', content: [{ type: 'text', text }] }], tools: [] } as never);
    assert.equal(keptTitle({ body }, register), sentence);
  });

  it('is not what a tool says of itself', () => {
    assert.equal(titleOf(chat([{ type: 'text', text: '<system-reminder>\nToday is Monday.\n</system-reminder>' }, { type: 'text', text: 'Fix the build' }])), 'Fix the build');
    assert.equal(titleOf({ input: [
      { role: 'user', content: [{ type: 'input_text', text: '# AGENTS.md instructions for /work\n\n<INSTRUCTIONS>Be good.</INSTRUCTIONS>' }] },
      { role: 'user', content: [{ type: 'input_text', text: '<environment_context>\n  <cwd>/work</cwd>\n</environment_context>' }] },
      { role: 'user', content: [{ type: 'input_text', text: 'Fix the build' }] },
    ] }), 'Fix the build');
    assert.equal(titleOf(chat('<task>\nFix the build\n</task>\n<environment_details>\nFiles: a, b\n</environment_details>')), 'Fix the build');
    assert.equal(titleOf(chat('<some_new_tag>secret plans</some_new_tag>')), 'Why not?');
  });

  it('is one line of at most 60 characters', () => {
    assert.equal(titleOf(chat(' Fix\n\tthe   build\u2028now ')), 'Fix the build now');
    const long = titleOf(chat(`${'a'.repeat(58)}😀 and more`)) ?? '';
    assert.equal(long, `${'a'.repeat(58)}…`, 'half a character is none');
    assert.equal(titleOf(chat('word '.repeat(200_000))), undefined, 'a message that is too long is not read');
  });

  it('has nothing that a terminal or a line of text obeys, and no key that such marks stand in', () => {
    assert.equal(titleOf(chat('Fix \u202egnp.exe\u202c \u001b[31mred\u0007 \u0000it\u009b')), 'Fix gnp.exe [31mred it');
    assert.equal(titleOf(chat('Use sk-ant-\u200eapi03-abcdefghijklm\u2069nopqrstuvwxyz0123456789 here')), 'Use [secret] here');
    assert.equal(titleOf(chat('Gia đình 👨‍👩‍👧')), 'Gia đình 👨‍👩‍👧');
  });

  it('is there for long text without spaces, as in Chinese', () => {
    assert.equal(titleOf(chat('修复'.repeat(400))), `${'修复'.repeat(29)}修…`);
  });

  it('holds no key, whether it is known or looks like one, wherever the text is cut', () => {
    const known = new SecretRegister();
    known.replace(['violet-harbour-42']);
    for (const secret of ['violet-harbour-42', 'sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789']) {
      for (let before = 0; before <= 620; before++) {
        const title = keptTitle({ body: raw(chat(`${'x'.repeat(before === 0 ? 0 : 1)}${' '.repeat(Math.max(0, before - 1))} ${secret} why?`)) }, known) ?? '';
        for (let length = 12; length <= secret.length; length++) assert.ok(!title.includes(secret.slice(0, length)), `${before}: ${title}`);
      }
    }
  });

  it('is none for a copy, a completion, and what cannot be read', () => {
    assert.equal(keptTitle({ body: raw(chat('Fix it')), shadow: { of: 'x', route: 'r', arm: 'shadow' } }, register), undefined);
    const bytes = Buffer.from('{"prompt":"def f("}');
    assert.equal(keptTitle({ body: { kind: 'completion', raw: { bytes, scan: scanObject(bytes) ?? assert.fail(), protocolHeaders: {}, includeUsage: false } } }, register), undefined);
    for (const messages of [[], [{ role: 'user' }], [null], [{ role: 'user', content: 7 }], 'x'.repeat(0), { not: 'a list' }]) assert.equal(titleOf({ messages }), undefined, JSON.stringify(messages));
    assert.equal(keptTitle({ body: { kind: 'conversation', thinkingAsked: false, decoded: () => { throw new Error('wrong'); } } }, register), undefined);
  });
});
