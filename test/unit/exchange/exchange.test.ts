import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exchangeUnderTest, turn } from './exchangeFakes.ts';

describe('an exchange', () => {
  it('sends its first attempt in the turn of the event loop in which it starts, and passes on the answer', t => {
    const { exchange, sink, transport, published } = exchangeUnderTest(t);
    exchange.start();
    assert.equal(transport.calls.length, 1, 'no turn of the event loop is lost');
    transport.call(1).says('Hello');
    transport.call(1).ends();
    assert.deepEqual(sink.got, ['begin a/m', 'Hello', 'end']);
    assert.deepEqual(published, ['started', 'planned', 'attempt 1 started', 'attempt 1 answering', 'attempt 1 committed', 'attempt 1 ok', 'ended ok']);
    const { outcome, target, attempts } = exchange.receipt;
    assert.deepEqual([outcome, target, attempts.map(({ number, outcome: how }) => [number, how])], ['ok', 'a/m', [[1, 'ok']]]);
    assert.equal(exchange.state.kind, 'ended');
    assert.equal(sink.drainListener, undefined);
  });

  it('fails over to the next target unseen by the caller', t => {
    const { exchange, sink, transport, published } = exchangeUnderTest(t);
    exchange.start();
    transport.call(1).refuses(503);
    assert.equal(transport.calls.length, 2);
    transport.call(2).says('Hello');
    transport.call(2).ends();
    assert.deepEqual(sink.got, ['begin b/m', 'Hello', 'end']);
    assert.equal(sink.heads[0]?.attempts, 2);
    assert.deepEqual(exchange.receipt.attempts.map(({ number, target, outcome }) => [number, target, outcome]), [[1, 'a/m', 'failed'], [2, 'b/m', 'ok']]);
    assert.deepEqual(published.filter(what => what.includes('attempt')), [
      'attempt 1 started', 'attempt 1 answering', 'attempt 1 failed', 'attempt 2 started', 'attempt 2 answering', 'attempt 2 committed', 'attempt 2 ok',
    ]);
  });

  it('hedges a slow target with a second one, and the second wins', async t => {
    const { exchange, sink, transport, published } = exchangeUnderTest(t, { route: { hedge: { enabled: true, afterMs: 50 } } });
    // What second requests have cost today is read from the ledger first.
    await turn();
    exchange.start();
    t.mock.timers.tick(50);
    assert.deepEqual(transport.calls.map(({ endpoint }) => endpoint), ['a', 'b']);
    assert.deepEqual(exchange.hedgeUnderWay()?.target.endpoint, 'b');
    assert.deepEqual(exchange.progress().attempts.map(({ number }) => number), [1, 2]);
    transport.call(2).says('Hello');
    assert.ok(transport.call(1).isAborted, 'the first attempt is aborted in the same turn');
    transport.call(2).ends();
    assert.deepEqual(sink.got, ['begin b/m', 'Hello', 'end']);
    assert.deepEqual(exchange.receipt.attempts.map(({ number, role, outcome }) => [number, role, outcome]), [[1, undefined, 'cancelled'], [2, 'hedge', 'ok']]);
    assert.ok(published.indexOf('attempt 1 beaten') < published.indexOf('attempt 2 committed'));
  });

  it('keeps one list of attempts and prices, also when the second attempt ends first', async t => {
    const { exchange, transport } = exchangeUnderTest(t, { route: { hedge: { enabled: true, afterMs: 50 } } });
    // What second requests have cost today is read from the ledger first.
    await turn();
    exchange.start();
    t.mock.timers.tick(50);
    transport.call(2).refuses(500);
    transport.call(1).says('Hello');
    transport.call(1).ends();
    assert.deepEqual(exchange.receipt.attempts.map(({ number, target, outcome }) => [number, target, outcome]), [[1, 'a/m', 'ok'], [2, 'b/m', 'failed']]);
  });

  it('ends without an answer when its caller disconnects, and passes on no late byte', t => {
    const { exchange, sink, transport, published } = exchangeUnderTest(t);
    exchange.start();
    transport.call(1).says('Hello');
    exchange.cancel();
    assert.ok(transport.call(1).isAborted);
    exchange.cancel();
    exchange.interrupt();
    assert.deepEqual(sink.got, ['begin a/m', 'Hello']);
    assert.deepEqual([exchange.receipt.outcome, exchange.receipt.message], ['cancelled', 'The caller went away.']);
    assert.deepEqual(published.slice(-2), ['attempt 1 abandoned', 'ended cancelled']);
    assert.equal(exchange.onBytes(Buffer.from('late')), true);
    assert.equal(exchange.onEvents([{ type: 'text', text: 'late' }]), true);
    assert.deepEqual(sink.got, ['begin a/m', 'Hello']);
  });

  it('answers its caller when the server shuts down', t => {
    const { exchange, sink } = exchangeUnderTest(t);
    exchange.start();
    exchange.interrupt();
    assert.deepEqual(sink.got, ['fail shutting-down']);
    assert.deepEqual([exchange.receipt.outcome, exchange.receipt.attempts[0]?.outcome], ['interrupted', 'cancelled']);
  });

  it('answers its caller when a person cancels it, keeps what it cost, and stops the provider', t => {
    const { exchange, sink, transport } = exchangeUnderTest(t);
    exchange.start();
    transport.call(1).says('Hello');
    assert.equal(exchange.stop(), 'stopped');
    assert.ok(transport.call(1).isAborted);
    assert.deepEqual(sink.got, ['begin a/m', 'Hello', 'fail cancelled']);
    const { outcome, message, attempts } = exchange.receipt;
    assert.deepEqual([outcome, message, attempts.map(one => one.outcome)], ['cancelled', 'The request was cancelled in Waybill; send it again to get an answer.', ['cancelled']]);
    assert.equal(exchange.stop(), false, 'it has ended');
    assert.equal(sink.got.length, 3);
  });

  it('ends once when the caller disconnects while it receives the failure', t => {
    const under = exchangeUnderTest(t);
    const { exchange, sink, transport, published } = under;
    const fail = sink.fail.bind(sink);
    sink.fail = failure => {
      exchange.cancel();
      fail(failure);
    };
    exchange.start();
    transport.call(1).refuses(400);
    assert.deepEqual(sink.got.length, 1);
    assert.deepEqual(published.filter(what => what.startsWith('ended')), ['ended failed']);
  });

  it('starts again in sight of the reader when the answer breaks off', t => {
    const said: string[] = [];
    const { exchange, sink, transport } = exchangeUnderTest(t, { input: { inbound: 'lsp', protocol: 'editor' }, prepare: one => { one.kind = 'reader'; one.restart = message => { said.push(message); }; } });
    exchange.start();
    transport.call(1).says('Half');
    transport.call(1).breaks();
    transport.call(2).says('Whole');
    transport.call(2).ends();
    assert.deepEqual(sink.got, ['Half', 'Whole', 'end']);
    assert.deepEqual(said, ['The connection was lost. Starting again with b/m.']);
    assert.equal(exchange.receipt.attempts[1]?.role, 'restart');
  });

  it('looks for targets until the patience of its caller ends, and then reports what was tried', t => {
    const { exchange, sink, transport } = exchangeUnderTest(t, { input: { patienceMs: 10_000 } });
    exchange.start();
    transport.call(1).refuses(500);
    transport.call(2).refuses(500);
    assert.equal(exchange.state.kind, 'waiting');
    t.mock.timers.tick(2000);
    transport.call(3).refuses(500);
    t.mock.timers.tick(2000);
    transport.call(4).refuses(500);
    for (let count = 0; count < 20 && sink.failures.length === 0; count += 1) t.mock.timers.tick(20);
    exchange.cancel();
    assert.ok(transport.calls.length >= 4, 'each target had one more try');
    assert.deepEqual(exchange.receipt.attempts.map(({ number }) => number), transport.calls.map((_, index) => index + 1));
  });
});

describe('an exchange at which Waybill fails', () => {
  const failing = (): never => { throw new Error('of our own'); };

  it('answers its caller when an attempt cannot be sent, and ends that attempt', t => {
    const { exchange, sink, errors, published } = exchangeUnderTest(t, { services: () => ({ transport: { dispatch: failing } }) });
    exchange.start();
    assert.deepEqual(sink.got, ['fail internal']);
    assert.equal(sink.failures[0]?.status, 500);
    assert.deepEqual(published.slice(-2), ['attempt 1 abandoned', 'ended failed']);
    assert.deepEqual(errors, ['The exchange x-1 failed inside of Waybill']);
  });

  it('answers its caller when the head of the answer cannot be written, and passes no content on after that', t => {
    const { exchange, sink, transport, errors } = exchangeUnderTest(t);
    sink.begin = failing;
    exchange.start();
    transport.call(1).says('Hello');
    assert.deepEqual(sink.got, ['fail internal']);
    assert.ok(transport.call(1).isAborted);
    assert.deepEqual([exchange.receipt.outcome, exchange.receipt.attempts.length, errors.length], ['failed', 1, 1]);
  });

  it('answers its caller when a later plan cannot be made', t => {
    let plans = 0;
    const { exchange, sink, transport } = exchangeUnderTest(t, {
      services: ({ makePlan }) => ({ makePlan: (...question) => { plans += 1; return plans > 1 ? failing() : makePlan(...question); } }),
    });
    exchange.start();
    transport.call(1).refuses(500);
    transport.call(2).refuses(500);
    assert.deepEqual(sink.got, ['fail internal']);
    assert.equal(exchange.receipt.attempts.length, 2);
  });

  it('closes its receipt when the answer to the caller throws', t => {
    const { exchange, sink, transport, errors } = exchangeUnderTest(t);
    sink.end = failing;
    sink.fail = failing;
    exchange.start();
    transport.call(1).says('Hello');
    transport.call(1).ends();
    assert.deepEqual([exchange.receipt.outcome, exchange.receipt.failureClass], ['failed', 'server']);
    assert.deepEqual(errors, ['The exchange x-1 failed inside of Waybill', 'The caller of the exchange x-1 could not be answered']);
  });

  it('answers its caller once when the answer cannot be finished', async t => {
    const { exchange, sink, transport } = exchangeUnderTest(t);
    sink.end = failing;
    exchange.start();
    transport.call(1).says('Hello');
    transport.call(1).ends();
    await turn();
    assert.deepEqual(sink.got, ['begin a/m', 'Hello', 'fail internal']);
  });
});
