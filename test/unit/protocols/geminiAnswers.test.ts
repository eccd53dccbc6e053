import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConversationEvent, StopReason } from '../../../server/api/conversation.ts';
import { failureClasses } from '../../../server/api/failure.ts';
import type { FailureClass } from '../../../server/api/failure.ts';
import type { JsonObject } from '../../../server/base/json.ts';
import { readErrorBody } from '../../../server/protocols/errorBody.ts';
import { gatherAnswer } from '../../../server/protocols/events.ts';
import { gemini } from '../../../server/protocols/gemini/codec.ts';
import { meta, recording, recordings, replay } from './replay.ts';

const answers = recordings.map((name) => ({ name, ...replay(name, [recording(name)]) })).filter((answer) => answer.terminated);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const standIn = 'skip_thought_signature_validator';

function written(events: readonly ConversationEvent[], jsonArray = false): string {
  const encoder = gemini.createStreamEncoder({ ...meta, jsonArray });
  const pause = encoder.keepAlive ?? gemini.keepAlive;
  return pause + events.map((event) => encoder.encode(event) + pause).join('') + encoder.end();
}

function chunks(text: string): JsonObject[] {
  return [...text.matchAll(/^data: (.+)\n\n/gm)].map(([, data]) => JSON.parse(data ?? '') as JsonObject);
}

/** What an answer says, however it was cut into pieces; calls without an end are not said. */
function said(events: readonly ConversationEvent[]): unknown {
  const { parts, finish, usage } = gatherAnswer(events);
  const text = (type: 'text' | 'thinking' | 'refusal'): string => parts.map((part) => (part.type === type ? part.text : '')).join('');
  const calls = parts.flatMap((part) => (part.type === 'tool-call' && part.complete ? [[part.id, part.name, part.kind === 'custom' ? { input: part.arguments } : JSON.parse(part.arguments === '' ? '{}' : part.arguments) as unknown]] : []));
  return { text: text('text') + text('refusal'), thinking: text('thinking'), calls, finish: finish?.reason, usage: { ...usage, inputTokens: (usage.inputTokens ?? 0) + (usage.cacheWriteTokens ?? 0) + (usage.cacheWrite1hTokens ?? 0), cacheWriteTokens: undefined, cacheWrite1hTokens: undefined } };
}

function readStream(text: string): ConversationEvent[] {
  const decoder = gemini.createStreamDecoder({});
  return chunks(text).flatMap((chunk) => decoder.decode(undefined, JSON.stringify(chunk)));
}

describe('an answer to a Gemini caller', () => {
  for (const { name, events } of answers.filter((answer) => answer.name !== 'responsesWholeItems')) {
    test(`says what ${name} says: as events, as a JSON array, and plain`, () => {
      const expected = plain(said(events));
      assert.deepEqual(plain(said(readStream(written(events)))), expected);
      assert.deepEqual(plain(said(gemini.decodeResponse(JSON.parse(written(events, true)) as JsonObject[], {}))), expected);
      assert.deepEqual(plain(said(gemini.decodeResponse(gemini.encodeResponse(events, meta), {}))), expected);
    });
  }

  test('has whole calls only, with a placeholder for the signature of the first', () => {
    const events: ConversationEvent[] = [
      { type: 'tool-call-start', index: 0, id: 'a', name: 'f' }, { type: 'tool-call-start', index: 1, id: 'b', name: 'g' },
      { type: 'tool-call-arguments', index: 1, text: '{"x":' }, { type: 'tool-call-arguments', index: 0, text: '{"y":1}' }, { type: 'tool-call-arguments', index: 1, text: '2}' },
      { type: 'tool-call-end', index: 1 }, { type: 'tool-call-end', index: 0 }, { type: 'tool-call-start', index: 2, id: 'c', name: 'half' }, { type: 'finish', reason: 'tool-calls' },
    ];
    const parts = chunks(written(events)).flatMap((chunk) => (chunk.candidates as { content: { parts: JsonObject[] } }[])[0]?.content.parts ?? []);
    assert.deepEqual(parts, [{ functionCall: { id: 'b', name: 'g', args: { x: 2 } }, thoughtSignature: standIn }, { functionCall: { id: 'a', name: 'f', args: { y: 1 } } }, { text: '' }]);
  });

  test('has every signature of a Gemini model on the part it came on, streamed and plain', () => {
    const recorded = replay('geminiTools', [recording('geminiTools')]).events;
    for (const wire of [written(recorded), JSON.stringify(gemini.encodeResponse(recorded, meta))]) {
      assert.match(wire, /"args":\{"path":"a\.ts"\}\},"thoughtSignature":"c2ln"\}/);
      assert.equal(wire.match(/thoughtSignature/g)?.length, 1);
    }
    const text = replay('geminiText', [recording('geminiText')]).events;
    for (const wire of [written(text), JSON.stringify(gemini.encodeResponse(text, meta))]) assert.match(wire, /\{"text":"","thoughtSignature":"c2ln"\}/);
  });

  test('has none of another vendor\'s signatures', () => {
    const events: ConversationEvent[] = [{ type: 'thinking', text: 'Hm' }, { type: 'thinking-end', signature: 'theirs', origin: 'anthropic-messages' }, { type: 'text', text: 'x' }];
    assert.doesNotMatch(written(events) + JSON.stringify(gemini.encodeResponse(events, meta)), /theirs/);
  });

  test('that breaks off is an error in either form', () => {
    for (const jsonArray of [false, true]) {
      const encoder = gemini.createStreamEncoder({ ...meta, jsonArray });
      const text = encoder.encode({ type: 'text', text: 'Half' }) + (encoder.fail?.({ failureClass: 'overloaded', message: 'Busy.' }) ?? '');
      const events = jsonArray ? gemini.decodeResponse(JSON.parse(text) as JsonObject[], {}) : readStream(text);
      assert.deepEqual(plain(events.at(-1)), { type: 'error', error: { type: 'UNAVAILABLE', status: 503, message: 'Busy.' } });
    }
    const first = gemini.createStreamEncoder({ ...meta, jsonArray: true });
    assert.ok(Array.isArray(JSON.parse(first.fail?.({ failureClass: 'server', message: 'm' }) ?? '')));
  });
});

describe('a Gemini answer', () => {
  const reasons: [finishReason: string, withText: StopReason, withoutText: StopReason | 'error'][] = [
    ['STOP', 'end', 'end'], ['MAX_TOKENS', 'length', 'length'], ['CONTINUATION', 'length', 'length'],
    ['SAFETY', 'refusal', 'refusal'], ['PROHIBITED_CONTENT', 'refusal', 'refusal'], ['RECITATION', 'refusal', 'refusal'],
    ['MALFORMED_FUNCTION_CALL', 'error', 'error'], ['OTHER', 'error', 'error'], ['SOMETHING_NEW', 'end', 'error'],
  ];
  for (const [finishReason, withText, withoutText] of reasons) {
    test(`that ends with ${finishReason} ends as ${withText} after text, as ${withoutText} without`, () => {
      const last = (parts: JsonObject[]): string | undefined => {
        const event = gemini.decodeResponse({ candidates: [{ content: { parts }, finishReason }] }, {}).at(-1);
        return event?.type === 'finish' ? event.reason : event?.type;
      };
      assert.equal(last([{ text: 'x' }]), withText);
      assert.equal(last([]), withoutText);
    });
  }

  test('with STOP after a call has stopped for the call', () => {
    assert.deepEqual(plain(gemini.decodeResponse({ candidates: [{ content: { parts: [{ functionCall: { name: 'f' } }] }, finishReason: 'STOP' }] }, {}).at(-1)), { type: 'finish', reason: 'tool-calls' });
  });

  test('that is a JSON array with an error at its end is an error', () => {
    const events = gemini.decodeResponse([{ candidates: [{ content: { parts: [{ text: 'Half' }] } }] }, { error: { code: 503, message: 'Busy.', status: 'UNAVAILABLE' } }], {});
    assert.deepEqual(events.map((event) => event.type), ['start', 'text', 'error']);
  });

  test('whose call has streamed arguments never counts that call as complete', () => {
    const answer = gatherAnswer(gemini.decodeResponse([
      { candidates: [{ content: { parts: [{ functionCall: { name: 'f', willContinue: true } }] } }] },
      { candidates: [{ content: { parts: [{ functionCall: { partialArgs: [{ jsonPath: '$.a', stringValue: 'x' }], willContinue: true } }] }, finishReason: 'STOP' }] },
    ], {}));
    assert.deepEqual(answer.parts.map((part) => part.type === 'tool-call' && part.complete), [false]);
  });

  for (const body of [{}, [], 'text', null, { candidates: [] }, { usageMetadata: { promptTokenCount: 1 } }]) {
    test(`${JSON.stringify(body)} without any candidate is an error`, () => assert.equal(gemini.decodeResponse(body, {}).at(-1)?.type, 'error'));
  }

  test('with figures that cannot be true says so', () => {
    const events = gemini.decodeResponse({ candidates: [{ content: { parts: [{ text: 'x' }] }, finishReason: 'STOP' }], usageMetadata: { promptTokenCount: 1, cachedContentTokenCount: 2 } }, {});
    assert.ok(events.some((event) => event.type === 'usage' && event.contradictory === true));
  });
});

describe('an error to a Gemini caller', () => {
  const expected: Record<FailureClass, [status: number, word: string]> = {
    auth: [400, 'FAILED_PRECONDITION'], quota: [402, 'RESOURCE_EXHAUSTED'], 'rate-limit': [429, 'RESOURCE_EXHAUSTED'], overloaded: [503, 'UNAVAILABLE'], server: [503, 'UNAVAILABLE'],
    network: [503, 'UNAVAILABLE'], timeout: [504, 'DEADLINE_EXCEEDED'], 'context-overflow': [400, 'INVALID_ARGUMENT'], 'content-policy': [400, 'INVALID_ARGUMENT'],
    'model-not-found': [404, 'NOT_FOUND'], 'bad-request': [400, 'INVALID_ARGUMENT'], local: [503, 'UNAVAILABLE'], cancelled: [499, 'CANCELLED'],
  };
  for (const failureClass of failureClasses) {
    test(`of class ${failureClass} has Google's status and word, in the body as well`, () => {
      const { status, body } = gemini.encodeError({ failureClass, message: 'What happened.' });
      const read = readErrorBody(body);
      assert.deepEqual([status, read?.type], expected[failureClass]);
      assert.equal(read?.status, status);
    });
  }

  test('says how long to wait where Google\'s clients look for it', () => {
    const { headers, body } = gemini.encodeError({ failureClass: 'rate-limit', message: 'Slow down.', retryAfterMs: 1_500 });
    assert.equal(headers?.['retry-after'], '2');
    assert.equal(readErrorBody(body)?.retryAfterMs, 1_500);
  });

  test('about a full context is worded as Google words it', () => {
    assert.match(JSON.stringify(gemini.encodeError({ failureClass: 'context-overflow', message: 'Too much.' }).body), /exceeds the maximum number of tokens allowed: Too much\./);
  });

  test('in a stream is a chunk that holds nothing else', () => {
    const text = gemini.encodeStreamError({ failureClass: 'server', message: 'Broke.' });
    assert.deepEqual(JSON.parse(text.slice('data: '.length)), { error: { code: 503, message: 'Broke.', status: 'UNAVAILABLE', details: [] } });
  });
});
