import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConversationEvent } from '../../../../server/api/conversation.ts';
import { EventStreamSplitter } from '../../../../server/exchange/answer/eventStreamSplitter.ts';
import { codecFor } from '../../../../server/protocols/registry.ts';

const protocols = ['openai-chat', 'anthropic-messages', 'openai-responses', 'gemini'] as const;
type Protocol = typeof protocols[number];

/** Numbers from 0 to below 1 that are the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) >>> 0;
    return ((mixed ^ (mixed >>> 12)) >>> 0) / 2 ** 32;
  };
}

const words = ['a', 'Hello', ' world', '', ' ', '\n\n', '"quoted"', '\\', 'é', '世界', '🚂', '\u2028', '\ufeff', 'data: x\n\n', '","x":"', '\\u0041', '}]}', '\u0001', '\ud800', '<think>', '[DONE]', '\r\n', '_call', '"content":"a"', 'x'.repeat(20_000)];
const between = [': ping\n\n', ': é世\n', '\n', 'id: 7\n', 'data:\n\n', 'event: ping\ndata: {}\n\n', 'é\n'];

class Draw {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = numbers(seed);
  }

  below(count: number): number {
    return Math.floor(this.#next() * count);
  }

  is(share: number): boolean {
    return this.#next() < share;
  }

  of<One>(list: readonly One[]): One {
    return list[this.below(list.length)] ?? assert.fail();
  }
}

/** The data of an answer's events, with their names. */
function eventsOf(protocol: Protocol, draw: Draw): [name: string | undefined, data: object | string][] {
  const texts = Array.from({ length: 2 + draw.below(6) }, () => draw.of(words) + draw.of(words));
  switch (protocol) {
    case 'openai-chat': {
      const base = { id: 'c', object: 'chat.completion.chunk', model: 'm' };
      return [
        [undefined, { ...base, choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }],
        ...texts.map((text): [undefined, object] => [undefined, { ...base, choices: [{ index: 0, delta: draw.is(0.1) ? { reasoning_content: text } : { content: text }, finish_reason: null }], ...(draw.is(0.1) ? { usage: { prompt_tokens: 5, completion_tokens: 1 } } : {}) }]),
        [undefined, { ...base, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }],
        [undefined, { ...base, choices: [], usage: { prompt_tokens: 5, completion_tokens: 3 } }],
        [undefined, '[DONE]'],
      ];
    }
    case 'anthropic-messages': return [
      ['message_start', { type: 'message_start', message: { id: 'msg', model: 'm', usage: { input_tokens: 4, output_tokens: 1 } } }],
      ['content_block_start', { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }],
      ...texts.map((text): [string, object] => (draw.is(0.1) ? ['ping', { type: 'ping' }] : ['content_block_delta', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }])),
      ['content_block_stop', { type: 'content_block_stop', index: 0 }],
      ['message_delta', { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 15 } }],
      ['message_stop', { type: 'message_stop' }],
    ];
    case 'openai-responses': return [
      ['response.created', { type: 'response.created', response: { id: 'resp_1', model: 'm', output: [] } }],
      ...texts.map((delta): [string, object] => ['response.output_text.delta', { type: 'response.output_text.delta', item_id: 'i', output_index: 0, content_index: 0, delta }]),
      ['response.completed', { type: 'response.completed', response: { id: 'resp_1', status: 'completed', model: 'm', output: [], usage: { input_tokens: 3, output_tokens: 5 } } }],
    ];
    case 'gemini': return [
      ...texts.map((text): [undefined, object] => [undefined, { candidates: [{ content: { parts: [{ text }], role: 'model' } }], modelVersion: 'm' }]),
      [undefined, { candidates: [{ content: { parts: [{ text: '' }] }, finishReason: 'STOP' }], usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 9 } }],
    ];
  }
}

/** An answer as the pieces that a provider writes, one for each event. */
function piecesOf(protocol: Protocol, draw: Draw): Buffer[] {
  const end = draw.of(['\n', '\n', '\r\n', '\r']);
  const isOdd = draw.is(0.3);
  return eventsOf(protocol, draw).map(([name, data]) => {
    const lines = (typeof data === 'string' ? data : JSON.stringify(data, null, isOdd && draw.is(0.2) ? 1 : 0)).split('\n').map(line => `data:${isOdd && draw.is(0.2) ? '' : ' '}${line}\n`);
    const text = `${isOdd && draw.is(0.3) ? draw.of(between) : ''}${name === undefined ? '' : `event: ${name}\n`}${lines.join('')}\n`;
    return Buffer.from(text.replaceAll('\n', end));
  });
}

/** What comes out of a stream in these pieces: its bytes, and its events with neighbouring texts joined. */
function through(protocol: Protocol, pieces: readonly Buffer[], parsesAll: boolean): { bytes: string; events: ConversationEvent[]; count: number; unreadable: number; terminated: boolean } {
  const decoder = (codecFor(protocol) ?? assert.fail()).createStreamDecoder({});
  if (parsesAll) Object.defineProperty(decoder, 'decodeChunk', { value: undefined });
  const splitter = new EventStreamSplitter(decoder, { raw: true, hideUsage: false });
  const bytes: Buffer[] = [];
  const events: ConversationEvent[] = [];
  for (const piece of [...pieces, undefined]) {
    const output = piece === undefined ? splitter.finish() : splitter.push(piece);
    bytes.push(...output.bytes);
    for (const event of output.events) {
      const last = events.at(-1);
      if (event.type === 'text' && last?.type === 'text') events[events.length - 1] = { ...last, text: last.text + event.text };
      else events.push(event);
    }
  }
  return { bytes: Buffer.concat(bytes).toString('latin1'), events, count: splitter.eventCount, unreadable: splitter.unreadable, terminated: splitter.terminated };
}

function cut(whole: Buffer, draw: Draw, longest: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < whole.length;) {
    const end = at + 1 + draw.below(longest);
    pieces.push(whole.subarray(at, end));
    at = end;
  }
  return pieces;
}

/** Some pieces are cut in two, others are joined with the one before. */
function mixed(pieces: readonly Buffer[], draw: Draw): Buffer[] {
  const list: Buffer[] = [];
  for (const piece of pieces) {
    const before = draw.is(0.2) ? list.pop() : undefined;
    const at = draw.is(0.3) ? 1 + draw.below(piece.length - 1) : piece.length;
    list.push(before === undefined ? piece.subarray(0, at) : Buffer.concat([before, piece.subarray(0, at)]));
    if (at < piece.length) list.push(piece.subarray(at));
  }
  return list;
}

describe('a stream of answers that were drawn', () => {
  for (const protocol of protocols) {
    it(`has the same bytes and events however it is cut: ${protocol}`, () => {
      for (let seed = 1; seed <= 60; seed += 1) {
        const draw = new Draw(seed);
        const pieces = piecesOf(protocol, draw);
        const whole = Buffer.concat(pieces);
        const expected = through(protocol, [whole], true);
        assert.equal(expected.bytes, whole.toString('latin1'), `seed ${String(seed)}`);
        for (const ways of [pieces, mixed(pieces, draw), mixed(pieces, draw), cut(whole, draw, whole.length > 10_000 ? 4_000 : 30), cut(whole, draw, 500)]) {
          assert.deepEqual(through(protocol, ways, false), expected, `seed ${String(seed)}, ${String(ways.length)} pieces`);
        }
      }
    });
  }
});
