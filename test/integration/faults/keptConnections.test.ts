import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RouteSettings } from '../../../server/api/settings.ts';
import { rawRequest, type RawAnswer } from '../support/rawClient.ts';
import { answers, chatAnswer, rawEndpoint, startRawProvider, type RawBehaviour, type RawExchange, type RawProvider } from '../support/rawProvider.ts';
import { until } from '../support/serverProcess.ts';
import { startTestRouter, type TestRouter } from '../support/testRouter.ts';

interface Stage { a: RawProvider; b: RawProvider; testRouter: TestRouter; ask(model: string): Promise<RawAnswer> }

/** Two providers that write raw bytes; `one` is a route to the first alone, `two` goes on to the second. */
async function stage(t: TestContext, timeouts: RouteSettings['timeouts'] = {}): Promise<Stage> {
  const a = await startRawProvider(answers);
  t.after(() => a.close());
  const b = await startRawProvider(answers);
  t.after(() => b.close());
  const testRouter = await startTestRouter({
    endpoints: { a: rawEndpoint(a), b: rawEndpoint(b) }, routes: { one: { targets: ['a/m'], timeouts }, two: { targets: ['a/m', 'b/m'], timeouts } },
  });
  t.after(() => testRouter.close());
  const ask = (model: string): Promise<RawAnswer> => rawRequest({
    url: `${testRouter.url}/v1/chat/completions`, headers: { authorization: `Bearer ${testRouter.token}` }, body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
  });
  return { a, b, testRouter, ask };
}

/** Leaves so many idle connections to the first provider. */
async function warm({ a, ask }: Stage, count: number): Promise<void> {
  const waiting: RawExchange[] = [];
  a.behave(exchange => {
    waiting.push(exchange);
    if (waiting.length === count) for (const one of waiting) answers(one);
  });
  const all = await Promise.all(Array.from({ length: count }, () => ask('one')));
  assert.deepEqual(all.map(one => one.status), Array.from({ length: count }, () => 200));
  assert.equal(a.connections.length, count);
  // The HTTP client returns a connection to its pool one turn of the event loop after the answer.
  await sleep(20);
}

/** Kept connections do `how` at their next request, as behind a load balancer that has dropped them; fresh ones do `fresh`. */
function dropsKept(warmed: number, how: (exchange: RawExchange) => void, fresh: RawBehaviour = answers): RawBehaviour {
  return exchange => {
    if (exchange.connection <= warmed) how(exchange);
    else fresh(exchange);
  };
}

const reset: RawBehaviour = ({ socket }) => socket.resetAndDestroy();
const close: RawBehaviour = ({ socket }) => void socket.destroy();

describe('a kept connection that the provider has dropped', () => {
  for (const [name, how] of [['reset', reset], ['closed', close]] as const) {
    it(`loses no turn when it is ${name} at once: a sole target is asked over a fresh one, though all kept ones are dead`, async t => {
      const on = await stage(t);
      await warm(on, 3);
      on.a.behave(dropsKept(3, how));
      const before = on.a.requests.length;
      const answer = await on.ask('one');
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(on.a.requests.slice(before).map(one => one.connection <= 3), [true, false], 'one dead connection is met, the others are not tried');
      const receipt = await on.testRouter.receipt(String(answer.headers['x-waybill-exchange']));
      assert.deepEqual(receipt.attempts.map(one => [one.outcome, one.failureClass]), [['failed', 'network'], ['ok', undefined]], 'each request that left is in the ledger');
      assert.equal(receipt.attempts[0]?.cost.certainty, 'unknown', 'it may have billed');
      assert.match(receipt.attempts[0]?.message ?? '', /^a closed a connection that was kept/);
      assert.equal((await on.testRouter.status()).endpoints.find(one => one.name === 'a')?.state, 'healthy');
    });
  }

  it('leads to the next target where there is one: the same is not asked twice, and the provider is not blamed', async t => {
    const on = await stage(t);
    await warm(on, 3);
    on.a.behave(dropsKept(3, reset));
    const before = on.a.requests.length;
    const answer = await on.ask('two');
    assert.equal(answer.headers['x-waybill-target'], 'b/m', answer.text);
    assert.equal(on.a.requests.length - before, 1);
    assert.equal((await on.testRouter.status()).endpoints.find(one => one.name === 'a')?.state, 'healthy');
    assert.equal((await on.ask('two')).headers['x-waybill-target'], 'a/m');
  });

  it('does not fail a probe, which is asked again over a fresh one', async t => {
    const on = await stage(t);
    await warm(on, 2);
    on.a.behave(dropsKept(2, reset));
    const before = on.a.requests.length;
    const [found] = await on.testRouter.testRouter.router.probe('a');
    assert.equal(found?.condition.kind, 'healthy');
    assert.deepEqual(on.a.requests.slice(before).map(one => one.connection <= 2), [true, false]);
  });

  it('loses no turn of many callers at once', async t => {
    const on = await stage(t);
    await warm(on, 6);
    on.a.behave(dropsKept(6, reset));
    const all = await Promise.all(Array.from({ length: 10 }, () => on.ask('one')));
    assert.deepEqual(all.map(one => one.status), Array.from({ length: 10 }, () => 200));
  });

  it('is replaced once: when the fresh one is closed as well, the caller gets an error', async t => {
    const on = await stage(t);
    await warm(on, 2);
    on.a.behave(close);
    const before = on.a.requests.length;
    const answer = await on.ask('one');
    assert.equal(answer.status, 503, answer.text);
    assert.equal(on.a.requests.length - before, 2);
  });

  it('is not a reason to ask again once a byte of an answer came, or after the provider had time to work', async t => {
    const on = await stage(t);
    const cases: RawBehaviour[] = [
      ({ socket }) => void socket.write('HTTP/1.1 2', () => socket.destroy()),
      ({ socket }) => void setTimeout(() => socket.destroy(), 700),
      ({ socket }) => void setTimeout(() => socket.resetAndDestroy(), 700),
    ];
    for (const behaviour of cases) {
      on.a.behave(answers);
      await on.testRouter.configure({ endpoints: {} });
      await on.testRouter.configure({ endpoints: { a: rawEndpoint(on.a), b: rawEndpoint(on.b) }, routes: { one: { targets: ['a/m'] }, two: { targets: ['a/m', 'b/m'] } } });
      assert.equal((await on.ask('one')).status, 200);
      await sleep(20);
      on.a.behave(behaviour);
      const before = on.a.requests.length;
      const answer = await on.ask('two');
      assert.equal(answer.headers['x-waybill-target'], 'b/m', answer.text);
      assert.deepEqual(on.a.requests.slice(before).map(one => one.nth > 1), [true], 'one POST, on the kept connection');
    }
  });

  it('that leaves a request without an answer is closed with the other kept ones', async t => {
    const on = await stage(t, { headersMs: 1500 });
    await warm(on, 3);
    on.a.behave(dropsKept(3, () => undefined));
    assert.equal((await on.ask('two')).headers['x-waybill-target'], 'b/m');
    await until('the connections beside it are closed', () => on.a.connections.slice(0, 3).every(one => one.destroyed || one.readableEnded));
    const answer = await on.ask('one');
    assert.equal(answer.status, 200, answer.text);
    assert.equal(on.a.requests.at(-1)?.nth, 1);
  });
});

describe('connections that are kept', () => {
  it('get TCP keep-alive probes after 10 s, and stay open for two minutes at most, whatever the provider says', async t => {
    const asked: unknown[] = [];
    const { setKeepAlive } = Socket.prototype;
    t.mock.method(Socket.prototype, 'setKeepAlive', function (this: Socket, on?: boolean, delayMs?: number) {
      asked.push([on, delayMs]);
      return setKeepAlive.call(this, on, delayMs);
    });
    const on = await stage(t);
    on.a.behave(({ socket }) => void socket.write(chatAnswer('keep-alive: timeout=600\r\n')));
    const timers = t.mock.method(globalThis, 'setTimeout');
    assert.equal((await on.ask('one')).status, 200);
    await sleep(20);
    const idle = timers.mock.calls.filter(call => (call.arguments[0] as { name?: string }).name === 'onParserTimeout').map(call => Number(call.arguments[1]));
    assert.ok(idle.length > 0 && idle.every(ms => ms > 60_000 && ms <= 120_000), String(idle));
    assert.ok(asked.some(one => JSON.stringify(one) === '[true,10000]'), JSON.stringify(asked));
  });
});

describe('a fresh connection', () => {
  const works3s: RawBehaviour = ({ socket }) => void setTimeout(() => socket.destroy(), 3000);
  for (const [name, behaviour] of [['closes at once', close], ['resets', reset], ['works for three seconds and closes', works3s]] as const) {
    it(`whose provider ${name} is not asked the same again while another target is there`, async t => {
      const on = await stage(t);
      on.a.behave(behaviour);
      const answer = await on.ask('two');
      assert.equal(answer.headers['x-waybill-target'], 'b/m', answer.text);
      assert.equal(on.a.requests.length, 1, 'one POST');
      const receipt = await on.testRouter.receipt(String(answer.headers['x-waybill-exchange']));
      assert.deepEqual(receipt.attempts.map(one => [one.endpoint, one.outcome, one.failureClass]), [['a', 'failed', 'server'], ['b', 'ok', undefined]]);
      assert.match(receipt.attempts[0]?.message ?? '', /^a took the request and closed the connection without an answer\./);
      assert.equal(receipt.attempts[0]?.cost.certainty, 'unknown', 'it may have billed');
    });
  }

  it('is tried once more when there is no other target', async t => {
    const on = await stage(t);
    let first = true;
    on.a.behave(exchange => {
      if (first) close(exchange);
      else answers(exchange);
      first = false;
    });
    const answer = await on.ask('one');
    assert.equal(answer.status, 200, answer.text);
    assert.equal(on.a.requests.length, 2);
  });
});
