import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { AdmissionControl, Admitted, Permit } from '../../../server/exchange/admission.ts';
import { exchangeUnderTest, turn, type ExchangeOptions, type ExchangeUnderTest } from './exchangeFakes.ts';

/** Admission whose answers the test controls. It counts the permits that are given back. */
class SlowAdmission implements AdmissionControl {
  readonly asked: PromiseWithResolvers<Admitted>[] = [];
  refunds = 0;

  acquire(): Promise<Admitted> {
    const answer = Promise.withResolvers<Admitted>();
    this.asked.push(answer);
    return answer.promise;
  }

  hasUsableKey(): boolean {
    return false;
  }

  async admits(number: number): Promise<void> {
    const permit: Permit = { admitted: true, key: undefined, trial: false, reserves: false, refund: () => { this.refunds += 1; }, settle() { /* counted nowhere */ }, release() { /* counted nowhere */ } };
    this.#asked(number).resolve(permit);
    await turn();
  }

  async refuses(number: number, reason: string): Promise<void> {
    this.#asked(number).resolve({ admitted: false, reason });
    await turn();
  }

  async fails(number: number): Promise<void> {
    this.#asked(number).reject(new Error('the count cannot be reached'));
    await turn();
  }

  #asked(number: number): PromiseWithResolvers<Admitted> {
    return this.asked[number - 1] ?? assert.fail(`${this.asked.length} permits were asked for`);
  }
}

function slowly(t: TestContext, options: ExchangeOptions = {}): ExchangeUnderTest & { admission: SlowAdmission } {
  const admission = new SlowAdmission();
  const under = exchangeUnderTest(t, { ...options, services: () => ({ admission }) });
  under.exchange.start();
  return { ...under, admission };
}

const hedged: ExchangeOptions = { route: { hedge: { enabled: true, afterMs: 50 } } };

describe('an exchange whose permit comes as a promise', () => {
  it('sends its attempt when the permit arrives', async t => {
    const { sink, transport, admission } = slowly(t);
    assert.equal(transport.calls.length, 0);
    await admission.admits(1);
    transport.call(1).says('Hello');
    transport.call(1).ends();
    assert.deepEqual(sink.got, ['begin a/m', 'Hello', 'end']);
    assert.equal(admission.refunds, 0);
  });

  it('tries the next target when admission is refused', async t => {
    const { exchange, transport, admission } = slowly(t);
    await admission.refuses(1, 'its limit is reached');
    await admission.admits(2);
    assert.deepEqual(transport.calls.map(({ endpoint }) => endpoint), ['b']);
    assert.deepEqual(exchange.receipt.plan.excluded, [{ target: 'a/m', reason: 'its limit is reached' }]);
    assert.equal(exchange.progress().attempts[0]?.number, 1);
  });

  it('tries the next target when admission fails, and logs why', async t => {
    const { transport, admission, errors } = slowly(t);
    await admission.fails(1);
    await admission.admits(2);
    assert.deepEqual(transport.calls.map(({ endpoint }) => endpoint), ['b']);
    assert.deepEqual(errors, ['The exchange x-1 got no answer whether a/m may be tried']);
  });

  for (const how of ['cancel', 'interrupt'] as const) {
    it(`gives back a permit that arrives after ${how}`, async t => {
      const { exchange, sink, transport, admission } = slowly(t);
      exchange[how]();
      assert.equal(exchange.state.kind, 'ended');
      await admission.admits(1);
      assert.deepEqual([admission.refunds, transport.calls.length], [1, 0]);
      assert.deepEqual(sink.got, how === 'cancel' ? [] : ['fail shutting-down']);
    });
  }

  it('ignores a refusal that arrives after its end', async t => {
    const { exchange, sink, transport, admission } = slowly(t);
    exchange.cancel();
    await admission.refuses(1, 'full');
    assert.deepEqual([sink.got, transport.calls.length, admission.asked.length], [[], 0, 1]);
  });

  it('only logs admission that fails after its end', async t => {
    const { exchange, sink, admission, errors } = slowly(t);
    exchange.cancel();
    await admission.fails(1);
    assert.deepEqual([sink.got, admission.asked.length, errors.length], [[], 1, 1]);
  });

  it('gives back the permit of a hedge that arrives after the first target has begun', async t => {
    const { sink, transport, admission } = slowly(t, hedged);
    await admission.admits(1);
    t.mock.timers.tick(50);
    transport.call(1).says('Hello');
    await admission.admits(2);
    transport.call(1).ends();
    assert.deepEqual([admission.refunds, transport.calls.length], [1, 1]);
    assert.deepEqual(sink.got, ['begin a/m', 'Hello', 'end']);
  });

  it('uses the permit of a hedge for the next attempt when the first target fails before the permit arrives', async t => {
    const { exchange, transport, admission } = slowly(t, hedged);
    await admission.admits(1);
    t.mock.timers.tick(50);
    transport.call(1).refuses(503);
    assert.equal(admission.asked.length, 2, 'one permit is acquired at a time');
    await admission.admits(2);
    transport.call(2).says('Hello');
    transport.call(2).ends();
    assert.deepEqual(exchange.receipt.attempts.map(({ target, role, outcome }) => [target, role, outcome]), [['a/m', undefined, 'failed'], ['b/m', undefined, 'ok']]);
  });
});
