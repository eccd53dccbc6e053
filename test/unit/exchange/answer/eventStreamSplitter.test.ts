import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConversationEvent } from '../../../../server/api/conversation.ts';
import { EventStreamSplitter } from '../../../../server/exchange/answer/eventStreamSplitter.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';
import { recording, recordings } from '../../protocols/replay.ts';

function splitter(protocol: 'openai-chat' | 'anthropic-messages', options: Partial<ConstructorParameters<typeof EventStreamSplitter>[1]> = {}): EventStreamSplitter {
  const codec = codecFor(protocol);
  assert.ok(codec !== undefined);
  return new EventStreamSplitter(codec.createStreamDecoder({}), { raw: true, hideUsage: false, ...options });
}

/** Pushes all chunks. Returns the bytes passed on, the events, and the first error. */
function through(one: EventStreamSplitter, chunks: readonly Buffer[]): { bytes: string; events: ConversationEvent[]; error: string | undefined } {
  const bytes: Buffer[] = [];
  const events: ConversationEvent[] = [];
  let error: string | undefined;
  for (const chunk of [...chunks, undefined]) {
    const output = chunk === undefined ? one.finish() : one.push(chunk);
    bytes.push(...output.bytes);
    events.push(...output.events);
    error ??= output.error?.message;
  }
  return { bytes: Buffer.concat(bytes).toString(), events, error };
}

const chunk = (fields: object): string => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', ...fields })}\n\n`;
const word = (content: string): string => chunk({ choices: [{ index: 0, delta: { content } }] });

describe('the event stream splitter', () => {
  for (const name of recordings.filter(one => !one.includes('Error'))) it(`lets ${name} through byte for byte, wherever it is cut`, () => {
    const bytes = recording(name);
    const protocol = name.startsWith('messages') ? 'anthropic-messages' : 'openai-chat';
    for (let at = 0; at <= bytes.length; at += 1) {
      const seen = through(splitter(protocol), [bytes.subarray(0, at), bytes.subarray(at)]);
      assert.equal(seen.bytes, bytes.toString(), `cut at ${at}`);
    }
  });

  for (const protocol of ['openai-chat', 'anthropic-messages'] as const) {
    it(`reads events of ${protocol} that come one a chunk as it reads them byte by byte`, () => {
      const texts = ['one', 'two', '', 'line\nbreak "quoted" \\', 'é世🚂', ' and more'];
      const events = protocol === 'openai-chat'
        ? [...texts.map(word), ': ping\n\n', word('x') + word('y'), word('z'), chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }), 'data: [DONE]\n\n']
        : [
            'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
            ...texts.map(text => `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })}\n\n`),
            'event: ping\ndata: {"type":"ping"}\n\n',
          ];
      const whole = splitter(protocol);
      const single = splitter(protocol);
      const seen = through(whole, events.map(event => Buffer.from(event)));
      assert.deepEqual(seen, through(single, [...Buffer.from(events.join(''))].map(byte => Buffer.of(byte))));
      assert.equal(seen.bytes, events.join(''));
      assert.equal(whole.eventCount, single.eventCount);
    });
  }

  it('lets through what keeps a stream awake between events, however much of it comes in all', () => {
    const one = splitter('openai-chat');
    const filler = Buffer.from(`: ${'.'.repeat(250_000)}\n\n`);
    one.push(Buffer.from(word('one')));
    for (let at = 0; at < 10; at += 1) {
      one.push(filler);
      one.push(Buffer.from(word('more')));
    }
    assert.equal(one.eventCount, 11);
  });

  it('returns a chunk of whole events unchanged, and reuses one output object for all chunks', () => {
    const one = splitter('openai-chat');
    const first = Buffer.from(word('one'));
    const second = Buffer.from(word('two') + word('three'));
    const output = one.push(first);
    assert.equal(output.bytes[0], first);
    const { events } = output;
    assert.equal(one.push(second), output);
    assert.equal(output.bytes[0], second);
    assert.deepEqual(output.events.map(event => event.type), ['text', 'text']);
    // The list of events belongs to its receiver.
    assert.deepEqual(events.map(event => event.type), ['start', 'text']);
  });

  it('carries nothing of one chunk into the next', () => {
    const one = splitter('openai-chat');
    one.push(Buffer.from(`${word('one')}${word('two')}data: {"half": \n\n`));
    assert.equal(Buffer.concat([...one.push(Buffer.from(word('three'))).bytes]).toString(), word('three'));
    const half = one.push(Buffer.from(word('four').slice(0, 20)));
    assert.deepEqual([half.events, half.bytes, half.error], [[], [], undefined]);
    assert.equal(Buffer.concat([...one.push(Buffer.from(`${word('four').slice(20)}data: {"half": \n\n`)).bytes]).toString(), word('four'));
  });

  it('counts the events before an error within the same event', () => {
    const both = chunk({ choices: [{ index: 0, delta: { content: 'last' } }], error: { message: 'it broke' } });
    const seen = through(splitter('openai-chat', { raw: false }), [Buffer.from(word('one') + both)]);
    assert.deepEqual(seen.events.filter(event => event.type === 'text').map(event => event.text), ['one', 'last']);
    assert.equal(seen.error, 'it broke');
  });

  it('passes on whole events only: half an event waits for its end', () => {
    const one = splitter('openai-chat');
    const text = word('one') + word('two');
    const first = one.push(Buffer.from(text.slice(0, -10)));
    assert.equal(Buffer.concat([...first.bytes]).toString(), word('one'));
    assert.deepEqual(first.events.filter(event => event.type === 'text').map(event => event.text), ['one']);
    assert.equal(Buffer.concat([...one.push(Buffer.from(text.slice(-10))).bytes]).toString(), word('two'));
  });

  it('leaves out an unreadable line and keeps the lines beside it', () => {
    const one = splitter('openai-chat');
    const seen = through(one, [Buffer.from(`${word('one')}data: {"half": \n\n${word('two')}data: [DONE]\n\n`)]);
    assert.equal(seen.bytes, `${word('one')}${word('two')}data: [DONE]\n\n`);
    assert.equal(one.unreadable, 1);
    assert.ok(one.terminated);
  });

  for (const end of ['\n\r', '\r\r', '\n\n', '\r\n\r\n']) it(`passes events on that end with ${JSON.stringify(end)}, so that they do not pile up`, () => {
    const one = splitter('openai-chat');
    let passed = 0;
    const events = Buffer.from(word('one').replace('\n\n', end).repeat(20));
    for (let index = 0; index < 50; index += 1) for (const piece of one.push(events).bytes) passed += piece.length;
    assert.ok(passed > events.length * 49, `${passed} of ${events.length * 50} bytes`);
  });

  it('passes on each event once, and none that is left out, where a blank line of CRLF is cut in two', () => {
    const lines = (text: string): string => text.replaceAll('\n', '\r\n');
    const usage = chunk({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 3 } });
    for (const left of [usage, 'data: {"half": \n\n']) for (const order of [left + word('one'), word('one') + left]) {
      const whole = Buffer.from(lines(word('zero') + order));
      for (let cut = 0; cut <= whole.length; cut += 1) {
        const seen = through(splitter('openai-chat', { hideUsage: true }), [whole.subarray(0, cut), whole.subarray(cut)]);
        // Blank lines more or less mean nothing.
        assert.equal(seen.bytes.replaceAll('\r', '').replace(/\n{2,}/g, '\n\n'), word('zero') + word('one'), `${order}, cut at ${cut}`);
      }
    }
  });

  it('passes on the line feed of the last blank line, however late it comes', () => {
    const whole = Buffer.from(word('one').replaceAll('\n', '\r\n'));
    const one = splitter('openai-chat');
    assert.equal(Buffer.concat([...one.push(whole.subarray(0, -1)).bytes]).toString(), whole.subarray(0, -1).toString());
    assert.equal(Buffer.concat([...one.push(whole.subarray(-1)).bytes]).toString(), '\n');
    assert.deepEqual([...one.push(Buffer.from('data: ')).bytes, ...one.push(Buffer.from('[DONE]\n\n')).bytes].map(String), ['data: [DONE]\n\n']);
  });

  it('buffers little of a stream of comments', () => {
    const one = splitter('openai-chat');
    one.push(Buffer.from(word('one')));
    const comments = Buffer.from(': ping\n'.repeat(9_000));
    assert.throws(() => {
      for (let index = 0; index < 1_000; index += 1) one.push(comments);
    }, { code: 'stream-noise' });
  });

  it('withholds an error event and everything after it from the caller', () => {
    const seen = through(splitter('openai-chat'), [Buffer.from(`${word('one')}data: {"error":{"message":"it broke","type":"server_error"}}\n\n${word('two')}`)]);
    assert.equal(seen.bytes, word('one'));
    assert.equal(seen.error, 'it broke');
    assert.ok(!seen.events.some(event => event.type === 'text' && event.text === 'two'));
  });

  it('withholds a usage chunk that the caller did not ask for, and reads it', () => {
    const usage = chunk({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } });
    const seen = through(splitter('openai-chat', { hideUsage: true }), [Buffer.from(`${word('one')}${usage}data: [DONE]\n\n`)]);
    assert.equal(seen.bytes, `${word('one')}data: [DONE]\n\n`);
    assert.deepEqual(seen.events.filter(event => event.type === 'usage').map(event => event.usage.outputTokens), [4]);
    assert.ok(through(splitter('openai-chat'), [Buffer.from(word('one') + usage)]).bytes.includes('prompt_tokens'));
  });

  it('passes on no bytes when the stream is translated', () => {
    const seen = through(splitter('anthropic-messages', { raw: false }), [recording('messagesText')]);
    assert.equal(seen.bytes, '');
    assert.ok(seen.events.length > 2);
  });

  it('passes on a large event whole, however small its chunks are', () => {
    const bytes = Buffer.from(`${word('x'.repeat(4 << 20))}data: [DONE]\n\n`);
    const chunks = Array.from({ length: Math.ceil(bytes.length / 1024) }, (_, index) => bytes.subarray(index * 1024, (index + 1) * 1024));
    assert.ok(through(splitter('openai-chat'), chunks).bytes === bytes.toString());
  });

  it('bounds the size of one event', () => {
    const one = splitter('openai-chat');
    assert.throws(() => {
      one.push(Buffer.from('data: '));
      for (let megabyte = 0; megabyte < 18; megabyte += 1) one.push(Buffer.alloc(1 << 20, 0x78));
    }, { code: 'event-too-large' });
  });
});
