import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { cachedRoute, cacheUnderTest, textOf, type Asked, type CacheUnderTest } from './cacheFakes.ts';

/** A first request whose answer is kept. */
function answered(t: TestContext, route = cachedRoute()): { cache: CacheUnderTest; first: Asked } {
  const cache = cacheUnderTest(t, route);
  const first = cache.ask();
  cache.transport.call(1).says('Hel');
  cache.transport.call(1).saysMore('lo');
  cache.transport.call(1).ends();
  return { cache, first };
}

describe('a route that keeps answers', () => {
  it('answers an equal request from memory, at no cost, and says what that saved', async t => {
    const { cache, first } = answered(t);
    assert.equal(first.sink.heads[0]?.headers['x-waybill-cache'], 'miss');
    cache.clock.now += 12_345;
    const { exchange, sink } = cache.ask();
    assert.equal(cache.transport.calls.length, 1, 'nothing is sent');
    assert.deepEqual([textOf(sink), sink.got.at(-1)], ['Hello', 'end']);
    assert.deepEqual([sink.heads[0]?.target, sink.heads[0]?.attempts, sink.heads[0]?.headers], ['a/m', 0, { 'x-waybill-cache': 'hit', 'age': '12' }]);
    await cache.priced();
    const receipt = await cache.ledger.receipt(exchange.receipt.id);
    assert.deepEqual([receipt?.outcome, receipt?.target, receipt?.attempts.length, receipt?.cost.microUsd], ['ok', 'a/m', 0, 0]);
    const paid = await cache.ledger.receipt('x-1');
    assert.ok(paid?.cost.microUsd !== undefined && paid.cost.microUsd > 0);
    assert.deepEqual(receipt?.cache, { state: 'hit', of: 'x-1', ageMs: 12_345, savedMicroUsd: paid.cost.microUsd, savedEstimated: true });
    assert.deepEqual(cache.services.responses.statuses().map(({ bytes, ...status }) => [bytes > 0, status]), [[true, {
      route: 'auto', answers: 1, maxBytes: 16 * 1024 * 1024, hits: 1, shared: 0, misses: 1, savedMicroUsd: paid.cost.microUsd, unknownSaved: 0,
    }]]);
  });

  it('takes no permit and shows health nothing for a kept answer', t => {
    const { cache } = answered(t);
    cache.services.admission.acquire = () => assert.fail('a permit was asked for');
    assert.equal(textOf(cache.ask().sink), 'Hello');
  });

  it('does not heed the order of keys, the stream flag, and how the target is named', t => {
    const { cache } = answered(t);
    for (const body of [{ stream: false }, { stream_options: { include_usage: true } }, { messages: [{ content: 'Hi', role: 'user' }] }, { temperature: 0.0 }]) {
      const { sink } = cache.ask({ body });
      assert.deepEqual([textOf(sink), sink.got.at(-1)], ['Hello', 'end'], JSON.stringify(body));
    }
  });

  it('heeds every other field, also one that it does not know, and null', t => {
    const { cache } = answered(t);
    const others = [{ max_tokens: 9 }, { top_p: 1 }, { stop: ['x'] }, { tool_choice: 'none' }, { seed: 1 }, { something_new: 0 }, { stop: null }, { response_format: { type: 'text' } }, { messages: [{ role: 'user', content: 'Hi ' }] }, { seed: 12345678901234567890n.toString() }];
    for (const [index, body] of others.entries()) {
      cache.ask({ body });
      assert.equal(cache.transport.calls.length, index + 2, JSON.stringify(body));
    }
  });

  it('heeds what the target refuses by now, because that changes what is sent', t => {
    const { cache } = answered(t);
    const body = { seed: 7 };
    const place = { endpoint: (cache.services.routeTable().target('a', 'm') ?? assert.fail()).endpoint, form: 'openai-chat', model: 'm' } as const;
    const seed = [{ kind: 'drop', name: 'seed' }] as const;
    const finish = (call: number, text: string): void => {
      cache.transport.call(call).says(text);
      cache.transport.call(call).ends();
    };
    cache.ask({ body });
    // The provider refuses the field while this answer is under way: the answer is one to the request as it was sent.
    cache.services.repairs.learn(place, seed, cache.clock.now);
    finish(2, 'with a seed');
    const without = cache.ask({ body });
    assert.equal(without.exchange.receipt.cache?.state, 'miss');
    finish(3, 'without a seed');
    assert.equal(textOf(cache.ask({ body }).sink), 'without a seed');
    cache.services.repairs.forget(place, seed, cache.clock.now);
    assert.equal(textOf(cache.ask({ body }).sink), 'with a seed');
    assert.equal(cache.transport.calls.length, 3);
  });

  it('asks again when an answer is too old, when the configuration changed, and when the answers were cleared', t => {
    const { cache } = answered(t, cachedRoute({ maxAgeMs: 1000 }));
    const asks = (): boolean => {
      const before = cache.transport.calls.length;
      const { exchange } = cache.ask();
      const asked = cache.transport.calls.length > before;
      if (asked) {
        cache.transport.call(before + 1).says('Hello');
        cache.transport.call(before + 1).ends();
      }
      assert.equal(exchange.receipt.outcome, 'ok');
      return asked;
    };
    cache.clock.now += 999;
    assert.equal(asks(), false);
    cache.clock.now += 1;
    assert.equal(asks(), true);
    cache.configure({ auto: cachedRoute({ maxAgeMs: 1000 }), other: { targets: ['b/m'] } });
    assert.equal(asks(), true);
    cache.configure({ auto: cachedRoute({ maxAgeMs: 1000 }), other: { targets: ['b/m'] } });
    assert.equal(asks(), false, 'an equal configuration is no change');
    assert.deepEqual(cache.services.responses.clear('other'), { refused: 'There is no route "other" that keeps answers.' });
    assert.deepEqual(cache.services.responses.clear(), { answers: 1 });
    assert.equal(asks(), true);
  });

  it('does what the caller says', t => {
    const { cache } = answered(t);
    const head = { 'x-waybill-cache': 'refresh' };
    const again = cache.ask({ headers: head });
    assert.equal(cache.transport.calls.length, 2);
    cache.transport.call(2).says('New');
    cache.transport.call(2).ends();
    assert.deepEqual([again.exchange.receipt.cache, again.sink.heads[0]?.headers['x-waybill-cache']], [{ state: 'refresh' }, 'refresh']);
    assert.equal(textOf(cache.ask().sink), 'New');
    const off = cache.ask({ headers: { 'x-waybill-cache': 'off' } });
    assert.deepEqual([cache.transport.calls.length, off.exchange.receipt.cache], [3, { state: 'bypass', why: 'x-waybill-cache says off' }]);
    const wrong = cache.ask({ headers: { 'x-waybill-cache': 'yes' } });
    assert.deepEqual(wrong.exchange.receipt.cache?.why, 'x-waybill-cache says "yes", which is none of use, refresh and off');
    const warm = { temperature: 0.7 };
    assert.equal(cache.ask({ body: warm }).exchange.receipt.cache?.why, 'it is not at temperature 0, and neither x-waybill-cache nor the route asks for it');
    assert.equal(cache.ask({ body: { temperature: null } }).exchange.receipt.cache?.state, 'bypass');
    assert.equal(cache.ask({ body: warm, headers: { 'x-waybill-cache': 'use' } }).exchange.receipt.cache?.state, 'miss');
  });

  it('leaves out tools, what the provider stores, several answers, and answers that were cut off', t => {
    const cache = cacheUnderTest(t);
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
    const why = (body: object): string | undefined => cache.ask({ body, headers: { 'x-waybill-cache': 'use' } }).exchange.receipt.cache?.why;
    assert.deepEqual([why({ tools }), why({ functions: [{ name: 'f' }] }), why({ store: true }), why({ n: 2 }), why({ modalities: ['text', 'audio'] }), why({ store: false })],
      ['it has tools', 'it has tools', 'the provider is to store it', 'it asks for several answers', 'it asks for more than text', undefined]);
    const many = cacheUnderTest(t, cachedRoute({ includeTools: true, includeStored: true, temperatures: 'any' }));
    assert.equal(many.ask({ body: { tools, store: true, temperature: 1 } }).exchange.receipt.cache?.state, 'miss');
  });

  it('keeps no answer that was cut off by its length, unless the route says so', t => {
    for (const includeTruncated of [false, true]) {
      const cache = cacheUnderTest(t, cachedRoute({ includeTruncated }));
      cache.ask();
      cache.transport.call(1).says('Hel');
      cache.transport.call(1).ends('length');
      cache.ask();
      assert.equal(cache.transport.calls.length, includeTruncated ? 1 : 2);
    }
  });

  it('keeps an answer under the target that gave it, and finds it where others failed', t => {
    const cache = cacheUnderTest(t);
    cache.ask();
    cache.transport.call(1).refuses(500);
    cache.transport.call(2).says('From b');
    cache.transport.call(2).ends();
    const { exchange, sink } = cache.ask();
    assert.equal(cache.transport.calls.length, 3, 'the first target is asked again');
    cache.transport.call(3).refuses(500);
    assert.equal(cache.transport.calls.length, 3, 'the second one is not');
    assert.deepEqual([textOf(sink), exchange.receipt.target, exchange.receipt.attempts.length, exchange.receipt.cache?.state], ['From b', 'b/m', 1, 'hit']);
  });

  it('keeps embeddings as they came, and completions at temperature 0', t => {
    const cache = cacheUnderTest(t);
    const embedding = { operation: 'embedding', body: { stream: false, temperature: undefined, messages: undefined, input: 'Hi' } } as const;
    const first = cache.ask(embedding);
    cache.transport.call(1).answersWith({ object: 'list', data: [{ index: 0, embedding: [1, 2] }], usage: { prompt_tokens: 1, total_tokens: 1 } });
    const second = cache.ask(embedding);
    assert.deepEqual([cache.transport.calls.length, second.sink.got, second.exchange.receipt.cache?.state], [1, first.sink.got, 'hit']);
    const completion = (temperature: number) => ({ operation: 'completion', body: { stream: false, temperature, messages: undefined, prompt: 'Hi' } }) as const;
    cache.ask(completion(0));
    cache.transport.call(2).answersWith({ id: '1', object: 'text_completion', choices: [{ index: 0, text: ' there', finish_reason: 'stop' }] });
    assert.deepEqual([textOf(cache.ask(completion(0)).sink), cache.transport.calls.length], [' there', 2]);
    assert.equal(cache.ask(completion(1)).exchange.receipt.cache?.state, 'bypass');
  });

  it('is no matter of other routes, nor of a route whose cache is turned off', t => {
    const cache = cacheUnderTest(t, { targets: ['a/m'], responseCache: { enabled: false } });
    const { exchange, sink } = cache.ask();
    cache.transport.call(1).says('Hi');
    assert.deepEqual([exchange.receipt.cache, sink.heads[0]?.headers['x-waybill-cache']], [undefined, undefined]);
    cache.ask();
    assert.equal(cache.transport.calls.length, 2);
  });
});

describe('requests that are the same and run at the same time', () => {
  it('share one call, and each reads the answer from its beginning', async t => {
    const cache = cacheUnderTest(t);
    const first = cache.ask();
    cache.transport.call(1).says('Hel');
    const second = cache.ask();
    const plain = cache.ask({ body: { stream: false } });
    assert.deepEqual([textOf(second.sink), textOf(plain.sink)], ['Hel', '']);
    cache.transport.call(1).saysMore('lo');
    assert.equal(textOf(second.sink), 'Hello');
    cache.transport.call(1).ends();
    assert.equal(cache.transport.calls.length, 1);
    for (const { sink } of [second, plain]) assert.deepEqual([textOf(sink), sink.got.at(-1), sink.heads[0]?.headers['x-waybill-cache']], ['Hello', 'end', 'shared']);
    assert.equal(first.sink.got.at(-1), 'end');
    await cache.priced();
    const paid = (await cache.ledger.receipt('x-1'))?.cost.microUsd;
    for (const { exchange } of [second, plain]) {
      const receipt = await cache.ledger.receipt(exchange.receipt.id);
      assert.deepEqual([receipt?.cache?.state, receipt?.cache?.of, receipt?.cache?.savedMicroUsd, receipt?.cost.microUsd], ['shared', 'x-1', paid, 0]);
    }
  });

  it('go on when a person cancels the first request, whose caller gets an error', t => {
    const cache = cacheUnderTest(t);
    const first = cache.ask();
    const second = cache.ask();
    assert.equal(first.exchange.stop(), 'shared');
    assert.equal(first.sink.got.at(-1), 'fail cancelled');
    assert.equal(cache.transport.call(1).isAborted, false);
    cache.transport.call(1).says('Hi');
    cache.transport.call(1).ends();
    assert.deepEqual([textOf(second.sink), second.sink.got.at(-1), first.sink.got.length], ['Hi', 'end', 1]);
    const { outcome, failureClass, message, attempts } = first.exchange.receipt;
    assert.deepEqual([outcome, failureClass, attempts.map(one => one.outcome), second.exchange.receipt.outcome], ['cancelled', 'cancelled', ['ok'], 'ok']);
    assert.equal(message, 'The request was cancelled in Waybill; its call went on for other requests that shared it.');
  });

  it('go on when the first caller leaves, and end when the last one does', t => {
    const cache = cacheUnderTest(t);
    const first = cache.ask();
    const second = cache.ask();
    const third = cache.ask();
    first.exchange.cancel();
    assert.equal(cache.transport.call(1).isAborted, false);
    cache.transport.call(1).says('Hi');
    assert.equal(textOf(second.sink), 'Hi');
    second.exchange.cancel();
    assert.deepEqual([cache.transport.call(1).isAborted, second.exchange.receipt.outcome], [false, 'cancelled']);
    third.exchange.cancel();
    assert.deepEqual([cache.transport.call(1).isAborted, first.exchange.receipt.outcome], [true, 'cancelled']);
    const next = cache.ask();
    assert.equal(cache.transport.calls.length, 2, 'nobody joins what was given up');
    next.exchange.cancel();
    assert.equal(cache.transport.call(2).isAborted, true, 'one caller alone ends its call');
  });

  it('ask once more when the shared call fails, and then get its failure', t => {
    const cache = cacheUnderTest(t, cachedRoute({}, ['a/m']));
    const all = [cache.ask(), cache.ask(), cache.ask(), cache.ask()];
    cache.transport.call(1).refuses(500);
    assert.equal(cache.transport.calls.length, 2);
    cache.transport.call(2).refuses(500);
    assert.deepEqual(all.map(({ exchange }) => exchange.receipt.outcome), ['failed', 'failed', 'failed', 'failed']);
    assert.ok(cache.transport.calls.length <= 3, 'no flood');
  });

  it('get the failure at once where it lies with the request', t => {
    const cache = cacheUnderTest(t, cachedRoute({}, ['a/m']));
    const all = [cache.ask(), cache.ask()];
    cache.transport.call(1).refuses(400);
    assert.deepEqual([cache.transport.calls.length, all.map(({ exchange }) => exchange.receipt.failureClass)], [1, ['bad-request', 'bad-request']]);
  });

  it('end with an error where a stream breaks off that a caller has a part of, and begin anew where it has none', t => {
    const cache = cacheUnderTest(t, cachedRoute({}, ['a/m']));
    cache.ask();
    const streamed = cache.ask();
    const plain = cache.ask({ body: { stream: false } });
    cache.transport.call(1).says('Hel');
    cache.transport.call(1).breaks();
    assert.equal(streamed.exchange.receipt.outcome, 'failed');
    assert.equal(cache.transport.calls.length, 2);
    cache.transport.call(2).answers('Hello');
    assert.deepEqual([plain.sink.got.at(-1), plain.exchange.receipt.outcome], ['end', 'ok']);
    const later = cache.ask();
    assert.deepEqual([textOf(later.sink), later.exchange.receipt.cache?.state], ['Hello', 'hit'], 'a plain answer is replayed as a stream');
  });

  it('take a call on that waits for its slow first caller', t => {
    const cache = cacheUnderTest(t);
    cache.ask().sink.bytes = () => false;
    cache.transport.call(1).says('a');
    assert.equal(cache.transport.call(1).isPaused, true);
    cache.ask();
    assert.equal(cache.transport.call(1).isPaused, false);
  });

  it('do not wait for a caller that is slow', t => {
    const cache = cacheUnderTest(t);
    const first = cache.ask();
    first.sink.bytes = () => false;
    const slow = cache.ask();
    const events = slow.sink.events.bind(slow.sink);
    slow.sink.events = got => { events(got); return false; };
    const quick = cache.ask();
    cache.transport.call(1).says('a');
    cache.transport.call(1).saysMore('b');
    cache.transport.call(1).ends();
    assert.deepEqual([textOf(quick.sink), quick.sink.got.at(-1), textOf(slow.sink)], ['ab', 'end', 'a']);
    assert.equal(cache.transport.call(1).isPaused, false);
    slow.sink.drainListener?.onDrain();
    slow.sink.drainListener?.onDrain();
    assert.deepEqual([textOf(slow.sink), slow.sink.got.at(-1)], ['ab', 'end']);
  });
});
