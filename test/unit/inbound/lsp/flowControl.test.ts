import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChatEvent } from '../../../../server/api/messages.ts';
import { acknowledgeEvery, eventSize, FlowControl, maxUnacknowledged } from '../../../../server/inbound/lsp/flowControl.ts';
import { seededRandom } from '../../support/seededRandom.ts';

/** Events of about this size. */
function piece(size: number): ChatEvent[] {
  return [{ type: 'text', text: 'x'.repeat(Math.max(0, size - 48)) }];
}

describe('flow control of a chat', () => {
  it('asks for no acknowledgement of a short answer', () => {
    const flow = new FlowControl();
    assert.equal(flow.add(piece(acknowledgeEvery - 1)), true);
    assert.equal(flow.due(), undefined);
  });

  it('asks once for so much', () => {
    const flow = new FlowControl();
    flow.add(piece(acknowledgeEvery));
    assert.equal(flow.due(), acknowledgeEvery);
    assert.equal(flow.due(), undefined);
  });

  it('waits when the bound is reached, and goes on when half of it is on the way', () => {
    const flow = new FlowControl();
    const asked: number[] = [];
    let ready = true;
    while (ready) {
      ready = flow.add(piece(acknowledgeEvery));
      asked.push(flow.due() ?? assert.fail());
    }
    assert.equal(flow.unacknowledged, maxUnacknowledged);
    assert.equal(flow.acknowledge(asked[0] ?? 0), false);
    assert.equal(flow.add(piece(100)), false);
    assert.equal(flow.acknowledge(asked[1] ?? 0), false);
    assert.equal(flow.acknowledge(asked[2] ?? 0), true);
    assert.equal(flow.add(piece(100)), true);
  });

  it('ignores numbers that it did not ask for, and what is no number', () => {
    const flow = new FlowControl();
    flow.add(piece(acknowledgeEvery));
    const number = flow.due() ?? assert.fail();
    for (const wrong of [number + 1, 0, -1, NaN, Infinity, undefined, null, '9', {}]) {
      assert.equal(flow.acknowledge(wrong as number), false);
      assert.equal(flow.unacknowledged, number, String(wrong));
    }
    flow.acknowledge(number);
    flow.acknowledge(1);
    assert.equal(flow.unacknowledged, 0);
  });

  it('counts the text of every kind of event', () => {
    const text = 'y'.repeat(5000);
    const events: ChatEvent[] = [
      { type: 'text', text }, { type: 'thinking', text }, { type: 'refusal', text }, { type: 'tool-call-arguments', index: 0, text }, { type: 'restart', message: text },
      { type: 'thinking-end', signature: text }, { type: 'thinking-end', redacted: text }, { type: 'thinking-end', encrypted: text },
      { type: 'tool-call-start', index: 0, id: '1', name: 'n', signature: text }, { type: 'error', error: { message: text } },
    ];
    for (const event of events) assert.ok(eventSize(event) >= 5000, event.type);
  });

  it('never stalls: a sender that waits goes on once everything that was asked for is acknowledged', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      const flow = new FlowControl();
      const outstanding: number[] = [];
      let waits = false;
      let largest = 0;
      for (let step = 0; step < 400; step++) {
        if (!waits && random() < 0.7) {
          const size = Math.ceil(random() ** 4 * 300_000) + 48;
          largest = Math.max(largest, size);
          waits = !flow.add(piece(size));
          const due = flow.due();
          if (due !== undefined) outstanding.push(due);
        } else {
          const number = outstanding.shift();
          if (number !== undefined && flow.acknowledge(number)) waits = false;
        }
        assert.ok(flow.unacknowledged < maxUnacknowledged + largest, `seed ${seed}`);
        assert.ok(!waits || outstanding.length > 0, `seed ${seed}: the sender waits for nothing`);
      }
    }
  });
});
