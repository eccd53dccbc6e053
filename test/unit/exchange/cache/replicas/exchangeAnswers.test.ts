import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { silentLog } from '../../../../../server/base/log.ts';
import { AnswersElsewhere } from '../../../../../server/exchange/cache/replicas/answersElsewhere.ts';
import { cachedRoute, cacheUnderTest, textOf, type Asked, type CacheUnderTest } from '../cacheFakes.ts';
import { AnswerStoreFake, answersConfig } from './answerStoreFake.ts';

const shared = cachedRoute({ replicas: true });
const read = 'read an answer';
const keep = 'keep an answer';

/** Turns pass until something holds. */
async function until(what: string, holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn += 1) {
    assert.ok(turn < 20_000, `this did not happen: ${what}`);
    await new Promise(resolve => setImmediate(resolve));
  }
}

/** A replica with a memory of its own. Its part for answers of others is loaded. */
async function replica(t: TestContext, store: AnswerStoreFake, name: string, route = shared): Promise<CacheUnderTest> {
  const state = { redis: undefined, whenAway: { limits: 'share', budgets: 'share' }, answers: answersConfig, secrets: [] } as const;
  const elsewhere = new AnswersElsewhere({ store, config: () => ({ state }), clock: { now: () => cache.clock.now }, log: silentLog });
  const cache = cacheUnderTest(t, route, elsewhere, name);
  await until('the part is loaded', () => elsewhere.find('warm', ['up'], 1_000) !== undefined);
  store.asked.length = 0;
  return cache;
}

async function two(t: TestContext): Promise<{ store: AnswerStoreFake; one: CacheUnderTest; other: CacheUnderTest }> {
  const store = new AnswerStoreFake();
  return { store, one: await replica(t, store, 'one'), other: await replica(t, store, 'other') };
}

const isOver = ({ sink }: Asked): boolean => sink.got.at(-1) === 'end';

/** A request that a provider answers, and whose answer is in the store. */
async function answered(cache: CacheUnderTest, store: AnswerStoreFake, text = 'Hello'): Promise<void> {
  const calls = cache.transport.calls.length;
  cache.ask();
  await until('the provider is asked', () => cache.transport.calls.length === calls + 1);
  cache.transport.call(calls + 1).says(text);
  cache.transport.call(calls + 1).ends();
  await cache.priced();
  await until('it is in the store', () => store.asked.includes(keep));
}

describe('a route whose replicas keep answers for each other', () => {
  it('answers from what another replica keeps, at no cost, says what that saved, and then from its own memory', async t => {
    const { store, one, other } = await two(t);
    await answered(one, store);
    store.now += 12_345;
    const hit = other.ask();
    await until('it is answered', () => isOver(hit));
    assert.equal(textOf(hit.sink), 'Hello');
    assert.equal(other.transport.calls.length, 0, 'nothing is sent');
    assert.deepEqual([hit.sink.heads[0]?.target, hit.sink.heads[0]?.headers], ['a/m', { 'x-waybill-cache': 'hit', 'age': '12' }]);
    await other.priced();
    const receipt = await other.ledger.receipt(hit.exchange.receipt.id);
    const paid = await one.ledger.receipt('one-1');
    assert.ok(paid?.cost.microUsd !== undefined && paid.cost.microUsd > 0);
    assert.deepEqual([receipt?.outcome, receipt?.attempts.length, receipt?.cost.microUsd], ['ok', 0, 0]);
    assert.deepEqual(receipt?.cache, { state: 'hit', from: 'replicas', of: 'one-1', ageMs: 12_345, savedMicroUsd: paid.cost.microUsd, savedEstimated: true });
    const again = other.ask();
    assert.ok(isOver(again), 'its own memory answers at once');
    await other.priced();
    const ofMemory = (await other.ledger.receipt(again.exchange.receipt.id))?.cache;
    assert.deepEqual([ofMemory?.from, ofMemory?.savedMicroUsd], [undefined, paid.cost.microUsd]);
    assert.deepEqual(store.asked, [read, keep, read]);
    const { memory, replicas } = other.services.responses.layers.reads;
    assert.deepEqual([memory.hit, memory.miss, replicas.hit, replicas.miss], [1, 1, 1, 1], 'the miss is that of the test itself');
  });

  it('asks the others once, and then its provider, where they have nothing', async t => {
    const { store, one } = await two(t);
    const { sink } = one.ask();
    assert.equal(one.transport.calls.length, 0);
    await until('the provider is asked', () => one.transport.calls.length === 1);
    one.transport.call(1).says('Hello');
    one.transport.call(1).ends();
    assert.equal(sink.got.at(-1), 'end');
    assert.equal(sink.heads[0]?.headers['x-waybill-cache'], 'miss');
    assert.deepEqual(store.asked.filter(name => name === read), [read]);
  });

  it('asks the others once for equal requests that run at once, and all of them get what was found', async t => {
    const { store, one, other } = await two(t);
    await answered(one, store);
    const asked = [other.ask(), other.ask(), other.ask({ body: { stream: false } })];
    await until('all are answered', () => asked.every(isOver));
    assert.deepEqual(asked.map(({ sink }) => textOf(sink)), ['Hello', 'Hello', 'Hello']);
    assert.equal(other.transport.calls.length, 0);
    assert.equal(store.asked.filter(name => name === read).length, 2, 'one of each replica');
  });

  it('shares one call for equal requests that wait for the others together and find nothing', async t => {
    const { one } = await two(t);
    const asked = [one.ask(), one.ask()];
    await until('the provider is asked', () => one.transport.calls.length === 1);
    one.transport.call(1).says('Hello');
    one.transport.call(1).ends();
    await until('both are answered', () => asked.every(isOver));
    assert.equal(one.transport.calls.length, 1);
  });

  it('sends nothing for a caller that goes away while the others are asked', async t => {
    const { store, one } = await two(t);
    store.isSlow = true;
    const { exchange } = one.ask();
    exchange.cancel();
    store.answer();
    await new Promise(resolve => setImmediate(resolve));
    assert.equal(exchange.receipt.outcome, 'cancelled');
    assert.equal(one.transport.calls.length, 0);
  });

  it('asks nobody for a request that takes no part, and only keeps the answer where the caller wants a new one', async t => {
    const { store, one, other } = await two(t);
    await answered(one, store);
    store.asked.length = 0;
    other.ask({ body: { temperature: 1 } });
    other.ask({ headers: { 'x-waybill-cache': 'off' } });
    assert.equal(other.transport.calls.length, 2, 'both are sent at once');
    other.ask({ headers: { 'x-waybill-cache': 'refresh' } });
    assert.equal(other.transport.calls.length, 3);
    assert.deepEqual(store.asked, []);
    other.transport.call(3).says('New');
    other.transport.call(3).ends();
    await other.priced();
    await until('it is kept', () => store.asked.includes(keep));
    const third = await replica(t, store, 'third');
    const hit = third.ask();
    await until('it is answered', () => isOver(hit));
    assert.equal(textOf(hit.sink), 'New');
  });

  it('keeps nothing for the others that was cut off, and nothing of a route that does not say so', async t => {
    const { store, one } = await two(t);
    one.ask();
    await until('the provider is asked', () => one.transport.calls.length === 1);
    one.transport.call(1).says('Hel');
    one.transport.call(1).breaks();
    await one.priced();
    assert.deepEqual(store.asked, [read]);
    const alone = await replica(t, store, 'alone', cachedRoute());
    alone.ask();
    assert.equal(alone.transport.calls.length, 1);
    alone.transport.call(1).says('Hello');
    alone.transport.call(1).ends();
    await alone.priced();
    await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual(store.asked, []);
    assert.equal(store.kept.size, 0);
  });

  it('asks its provider at once while the store is away', async t => {
    const { store, one } = await two(t);
    store.isUp = false;
    one.ask();
    assert.equal(one.transport.calls.length, 1);
  });

  it('tells callers apart as in memory', async t => {
    const { store, one, other } = await two(t);
    await answered(one, store);
    const others = [{ tenant: 'someone' }, { caller: { tool: 'another' } }, { caller: { tool: 'test', workspace: 'w' } }, { body: { seed: 1 } }];
    for (const [index, asking] of others.entries()) {
      other.ask(asking);
      await until('the provider is asked', () => other.transport.calls.length === index + 1);
    }
  });

  it('forgets the answers of all replicas when they are cleared', async t => {
    const { store, one, other } = await two(t);
    await answered(one, store);
    store.now += 1;
    other.services.responses.clear('auto');
    await until('it is cleared', () => store.asked.includes('clear answers'));
    other.ask();
    await until('the provider is asked', () => other.transport.calls.length === 1);
  });
});
