import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { anthropicMessages } from '../../../server/protocols/anthropicMessages/codec.ts';
import { openAiChat } from '../../../server/protocols/openAiChat/codec.ts';
import { TextTemplate } from '../../../server/protocols/textTemplate.ts';

const chunk = (text: string, more: object = {}): string => JSON.stringify({
  id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content: text }, finish_reason: null }], ...more,
});

function learnt(data: string, text: string, event?: string): TextTemplate {
  const template = new TextTemplate('content');
  template.learn(event, data, text);
  return template;
}

const lines = (data: string, event?: string): Buffer => Buffer.from(`${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`);

describe('the form of a text event', () => {
  const texts = ['word', ' a', '', 'é世🚂', 'say "hi"\n\tand \\ more', '{"content":"x"}', '"},"finish_reason":"stop"}]}', '\u2028', 'null', '\ud83d'];
  for (const text of texts) {
    test(`gives the text ${JSON.stringify(text)} as a parser reads it`, () => {
      assert.equal(learnt(chunk('first'), 'first').textOf(undefined, chunk(text)), text);
      assert.equal(learnt(chunk('first'), 'first').textOfChunk(lines(chunk(text))), text);
      assert.equal(learnt(chunk('first', { model: 'mô hình' }), 'first', 'delta').textOfChunk(lines(chunk(text, { model: 'mô hình' }), 'delta')), text);
    });
  }

  test('is the form of no event that differs elsewhere', () => {
    const template = learnt(chunk('first'), 'first');
    for (const other of [
      chunk('x', { usage: { prompt_tokens: 1 } }), chunk('x', { id: 'chatcmpl-2' }), chunk('x').replace('null}', '"stop"}'), chunk('x').replace('"x"', '["x"]'),
      chunk('x').replace('"x"', '"x","content":"y"'), chunk('x').replace('"x"', 'null'), chunk('x').replace('"x"', '"x\n"'), chunk('x').slice(0, -1), '', '[DONE]',
    ]) {
      assert.equal(template.textOf(undefined, other), undefined, other);
      assert.equal(template.textOfChunk(lines(other)), undefined, other);
    }
    assert.equal(template.textOf('error', chunk('x')), undefined);
  });

  test('is the form of no chunk with more in it than one event in its usual lines', () => {
    const template = learnt(chunk('first'), 'first');
    const one = lines(chunk('x')).toString();
    for (const other of [one + one, `: ping\n\n${one}`, `${one}: ping\n\n`, one.replace('data: ', 'data:'), one.replaceAll('\n', '\r\n'), `id: 1\n${one}`, `event: error\n${one}`, one.slice(0, -1), one.slice(1)]) {
      assert.equal(template.textOfChunk(Buffer.from(other)), undefined, other);
    }
    const pretty = JSON.stringify(JSON.parse(chunk('first')), undefined, 1);
    assert.equal(learnt(pretty.replace('"content": ', '"content":'), 'first').textOfChunk(lines(pretty.replace('"content": ', '"content":'))), undefined);
  });

  test('is not learnt where the same text stands twice, or the event is long', () => {
    assert.equal(learnt(chunk('m'), 'm').textOf(undefined, chunk('x')), undefined);
    const long = { system_fingerprint: 'f'.repeat(5000) };
    assert.equal(learnt(chunk('first', long), 'first').textOf(undefined, chunk('x', long)), undefined);
  });

  test('is not looked for any more after events that all differ, and is while events are recognised', () => {
    const template = new TextTemplate('content');
    for (let at = 0; at < 100; at += 1) template.learn(undefined, chunk(`t${at}`, { at }), `t${at}`);
    assert.equal(template.textOf(undefined, chunk('x', { at: 99 })), undefined);
    const used = new TextTemplate('content');
    for (let at = 0; at < 100; at += 1) {
      used.learn(undefined, chunk(`t${at}`, { at }), `t${at}`);
      assert.equal(used.textOf(undefined, chunk('x', { at })), 'x');
    }
  });
});

describe('a decoder that knows the form', () => {
  const words = Array.from({ length: 200 }, (_, at) => ['plain', 'with "quotes"', 'line\nbreak', '', 'back\\slash', 'é世🚂', '"finish_reason":"stop"', '_call'][at % 8] ?? '');

  test('reads a Chat stream as one that parses each event', () => {
    const decoder = openAiChat.createStreamDecoder({});
    const texts = words.flatMap(word => decoder.decode(undefined, chunk(word))).flatMap(event => (event.type === 'text' ? [event.text] : []));
    assert.deepEqual(texts, words.filter(word => word !== ''));
    // What is no text is still seen, and the end too.
    const end = decoder.decode(undefined, chunk('last').replace('"finish_reason":null', '"finish_reason":"stop"'));
    assert.deepEqual(end.map(({ type }) => type), ['text', 'finish']);
    assert.equal(decoder.terminated, true);
  });

  test('ends reasoning with the first text after it', () => {
    const decoder = openAiChat.createStreamDecoder({});
    for (const word of ['a', 'b']) decoder.decode(undefined, chunk(word));
    decoder.decode(undefined, chunk('x').replace('"content":"x"', '"reasoning_content":"hm"'));
    assert.deepEqual(decoder.decode(undefined, chunk('c')).map(({ type }) => type), ['thinking-end', 'text']);
  });

  test('counts the parts of a call that come beside text', () => {
    const decoder = openAiChat.createStreamDecoder({});
    const beside = (text: string): string => chunk(text).replace('"content"', '"tool_calls":[{"index":0,"function":{"arguments":"1"}}],"content"');
    decoder.decode(undefined, chunk('a'));
    for (const text of ['b', 'c']) decoder.decode(undefined, beside(text));
    const events = decoder.decode(undefined, chunk('d').replace('"content"', '"tool_calls":[{"index":0,"id":"call_1","function":{"name":"f"}}],"content"'));
    assert.deepEqual(events.filter(({ type }) => type === 'tool-call-arguments').map(event => ('text' in event ? event.text : '')), ['11']);
  });

  test('reads a Messages stream as one that parses each event', () => {
    const decoder = anthropicMessages.createStreamDecoder({});
    const delta = (text: string): string => JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
    decoder.decode('message_start', JSON.stringify({ type: 'message_start', message: { id: 'msg_1', model: 'm', usage: { input_tokens: 3 } } }));
    decoder.decode('content_block_start', JSON.stringify({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }));
    const texts = words.flatMap(word => decoder.decode('content_block_delta', delta(word))).flatMap(event => (event.type === 'text' ? [event.text] : []));
    assert.deepEqual(texts, words.filter(word => word !== ''));
  });
});
