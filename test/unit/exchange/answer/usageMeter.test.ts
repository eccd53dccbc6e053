import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConversationEvent } from '../../../../server/api/conversation.ts';
import { UsageMeter } from '../../../../server/exchange/answer/usageMeter.ts';
import { attemptRecord } from '../../../../server/exchange/attempt/record.ts';
import { anAttempt } from '../../ledger/receipts.ts';

function recordOf(events: readonly ConversationEvent[]): string | undefined {
  const meter = new UsageMeter(false);
  meter.count(events);
  return attemptRecord(anAttempt({ upstreamModel: 'gpt-4.1' }), meter.figures, 10, 'cancelled', { usage: {}, estimated: false }).answeredModel;
}

describe('the record of an attempt', () => {
  it('has the model that the answer names, which may be another one than was asked for', () => {
    assert.equal(recordOf([{ type: 'start', id: 'c', model: 'gpt-4.1-2025-04-14' }, { type: 'text', text: 'Hello' }]), 'gpt-4.1-2025-04-14');
    assert.equal(recordOf([{ type: 'start', model: 'first' }, { type: 'start', model: 'second' }]), 'first');
  });

  it('has none where the answer names none, and no more than 200 characters of a long one', () => {
    assert.equal(recordOf([{ type: 'start' }, { type: 'text', text: 'Hello' }]), undefined);
    assert.equal(recordOf([{ type: 'start', model: 'm'.repeat(100_000) }])?.length, 200);
  });
});
