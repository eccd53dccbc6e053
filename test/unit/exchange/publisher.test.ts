import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '../../../server/base/log.ts';
import type { ExchangeEnded, ExchangeObserver, ExchangePriced } from '../../../server/exchange/events.ts';
import { ExchangePublisher } from '../../../server/exchange/publisher.ts';
import { aReceipt } from '../ledger/receipts.ts';

const priced: ExchangePriced = { receipt: aReceipt('x-1'), route: undefined };

describe('the publisher of exchanges', () => {
  it('has listeners only for events that some observer handles', () => {
    const publisher = new ExchangePublisher(silentLog);
    assert.equal(publisher.priced.hasListeners, false);
    const subscription = publisher.subscribe({ name: 'The test', onPriced() {} });
    assert.deepEqual([publisher.priced.hasListeners, publisher.ended.hasListeners, publisher.committed.hasListeners], [true, false, false]);
    subscription.dispose();
    subscription.dispose();
    assert.equal(publisher.priced.hasListeners, false);
  });

  it('calls the methods of an observer on the observer, with the published value itself', () => {
    const publisher = new ExchangePublisher(silentLog);
    class Counter implements ExchangeObserver {
      readonly name = 'The counter';
      readonly seen: unknown[] = [];
      onPriced(event: ExchangePriced): void { this.seen.push(event); }
    }
    const [one, other] = [new Counter(), new Counter()];
    publisher.subscribe(one);
    publisher.subscribe(other);
    publisher.priced.emit(priced);
    assert.equal(one.seen[0], priced);
    assert.equal(other.seen[0], priced);
  });

  it('logs what an observer throws with the name of the observer, counted over all its methods', () => {
    const said: string[] = [];
    const publisher = new ExchangePublisher({ error: (message) => { said.push(message); } });
    const fail = (): never => { throw new Error('injected'); };
    publisher.subscribe({ name: 'The broken observer', onPriced: fail, onEnded: fail });
    const ended: ExchangeEnded = { exchange: { receipt: priced.receipt, tick() {}, progress: () => priced.receipt, interrupt() {}, stop: () => false }, receipt: priced.receipt, attempts: [], route: undefined };
    for (let count = 0; count < 4; count += 1) {
      publisher.ended.emit(ended);
      publisher.priced.emit(priced);
    }
    assert.deepEqual(said, [
      'The broken observer failed; the rest goes on.', 'The broken observer failed 2 times; the rest goes on.',
      'The broken observer failed 4 times; the rest goes on.', 'The broken observer failed 8 times; the rest goes on.',
    ]);
  });
});
