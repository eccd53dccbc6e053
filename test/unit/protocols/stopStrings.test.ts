import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConversationEvent } from '../../../server/api/conversation.ts';
import { openAiResponses } from '../../../server/protocols/openAiResponses/codec.ts';
import { withStopStrings } from '../../../server/protocols/stopStrings.ts';

const delta = (text: string): string => JSON.stringify({ type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: text });
const completed = JSON.stringify({ type: 'response.completed', response: { status: 'completed', output: [], usage: { input_tokens: 3, output_tokens: 9 } } });

function read(stops: readonly string[], pieces: readonly string[]): { text: string; events: ConversationEvent[]; terminatedAfter: number } {
  const decoder = withStopStrings(openAiResponses, stops).createStreamDecoder({});
  const events: ConversationEvent[] = [];
  let terminatedAfter = -1;
  for (const [index, data] of [...pieces.map(delta), completed].entries()) {
    events.push(...decoder.decode(undefined, data));
    if (terminatedAfter === -1 && decoder.terminated) terminatedAfter = index;
  }
  return { text: events.map((event) => (event.type === 'text' ? event.text : '')).join(''), events, terminatedAfter };
}

describe('stop strings for a protocol that has none', () => {
  test('end the answer before the first of them, wherever the stream cuts it', () => {
    const whole = 'One. Two.\n\nHuman: three';
    for (let cut = 1; cut < whole.length; cut += 1) {
      const { text, events, terminatedAfter } = read(['three', '\n\nHuman:'], [whole.slice(0, cut), whole.slice(cut)]);
      assert.equal(text, 'One. Two.', `cut at ${cut}`);
      assert.deepEqual(events.find((event) => event.type === 'finish'), { type: 'finish', reason: 'stop-sequence', stopSequence: '\n\nHuman:' });
      assert.ok(terminatedAfter <= 1);
    }
  });

  test('pass on the usage of the answer all the same, and end it once', () => {
    const { events } = read(['x'], ['axb', 'c']);
    assert.equal(events.filter((event) => event.type === 'finish').length, 1);
    assert.ok(events.some((event) => event.type === 'usage' && event.usage.outputTokens === 9));
  });

  test('change nothing in an answer without them, also one that ends like one', () => {
    const { text, events } = read(['###'], ['a #', 'b ##', 'c', ' ##']);
    assert.equal(text, 'a #b ##c ##');
    assert.deepEqual(events.at(-1), { type: 'finish', reason: 'end' });
  });

  test('cut a plain answer too', () => {
    const body = { status: 'completed', output: [{ type: 'message', content: [{ type: 'output_text', text: 'one STOP two' }] }], usage: { input_tokens: 1, output_tokens: 4 } };
    const events = withStopStrings(openAiResponses, ['', 'STOP']).decodeResponse(body, {});
    assert.equal(events.map((event) => (event.type === 'text' ? event.text : '')).join(''), 'one ');
    assert.equal(events.filter((event) => event.type === 'finish').length, 1);
  });
});
