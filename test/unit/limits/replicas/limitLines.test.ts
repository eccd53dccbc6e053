import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CountStoreFake, take, turns } from './countStoreFake.ts';
import { claim } from './replicaServers.ts';

const atOnce = claim('openai', { concurrency: 1_000 });
const outcomes = (all: readonly { answer: { taken: boolean } | undefined }[]): [taken: number, refused: number, open: number] => [
  all.filter(({ answer }) => answer?.taken === true).length, all.filter(({ answer }) => answer?.taken === false).length, all.filter(({ answer }) => answer === undefined).length,
];

describe('requests of one server that wait at one limit', () => {
  it('are asked for by one of them, which is refused for all', async () => {
    const store = new CountStoreFake();
    const counts = await store.server();
    take(counts, atOnce);
    await turns();
    await store.answer('busy');
    for (let look = 0; look < 3; look += 1) {
      const waiting = Array.from({ length: 500 }, () => take(counts, atOnce));
      await turns();
      assert.equal(store.asking.length, 1, 'the store is asked once');
      await store.answer('busy');
      assert.deepEqual(outcomes(waiting), [0, 500, 0]);
      const { answer } = waiting[499] ?? assert.fail();
      assert.ok(answer?.taken === false && answer.kind === 'limit');
      assert.match(answer.refusal.reason, /its own limit of 1000 requests at once is reached/);
      assert.equal(answer.claim, atOnce, 'each is refused for its own claim');
    }
    assert.equal(store.asked, 4);
  });

  it('are admitted within a few calls of the store when places are free', async () => {
    const store = new CountStoreFake();
    const counts = await store.server();
    take(counts, atOnce);
    await turns();
    await store.answer('busy');
    const waiting = Array.from({ length: 200 }, () => take(counts, atOnce));
    let rounds = 0;
    for (; outcomes(waiting)[2] > 0; rounds += 1) {
      await turns();
      assert.ok(rounds < 20);
      for (let ask = store.asking.length; ask > 0; ask -= 1) await store.answer('taken');
    }
    assert.deepEqual(outcomes(waiting), [200, 0, 0]);
    assert.ok(rounds <= 8, String(rounds));
  });

  it('keep what those before them got when a later one is refused', async () => {
    const store = new CountStoreFake();
    const counts = await store.server();
    take(counts, atOnce);
    await turns();
    await store.answer('busy');
    const waiting = Array.from({ length: 10 }, () => take(counts, atOnce));
    await turns();
    await store.answer('taken');
    assert.equal(store.asking.length, 2);
    await store.answer('taken');
    assert.equal(store.asking.length, 4, 'twice as many each time');
    await store.answer('busy');
    assert.deepEqual(outcomes(waiting), [2, 5, 3]);
    while (store.asking.length > 0) await store.answer('busy');
    assert.deepEqual(outcomes(waiting), [2, 8, 0]);
  });

  it('do not wait for those at another limit, nor at one where nobody was refused for a while', async () => {
    const store = new CountStoreFake();
    const counts = await store.server();
    take(counts, atOnce);
    await turns();
    await store.answer('busy');
    take(counts, atOnce);
    take(counts, claim('anthropic', { concurrency: 5 }));
    take(counts, claim('anthropic', { concurrency: 5 }));
    await turns();
    assert.equal(store.asking.length, 3);
    while (store.asking.length > 0) await store.answer('taken');
    store.now += 5_000;
    counts.tick();
    await turns();
    for (let request = 0; request < 5; request += 1) take(counts, atOnce);
    await turns();
    assert.equal(store.asking.length, 5);
  });
});

describe('the share of a server', () => {
  const four = claim('openai', { concurrency: 4 });
  const minute = claim('openai', { requestsPerMinute: 4 });

  for (const [what, one] of [['requests at once', four], ['requests a minute', minute]] as const) {
    it(`of ${what} holds for requests that ask the store together after it was away`, async () => {
      const store = new CountStoreFake();
      const counts = await store.server();
      await store.change('down');
      await store.change('up');
      assert.ok(counts.isUsable);
      const asked = Array.from({ length: 10 }, () => take(counts, one));
      await turns();
      assert.equal(store.asking.length, 2, 'half of four');
      await store.answer('taken');
      await store.answer('taken');
      assert.deepEqual(outcomes(asked), [2, 8, 0]);
    });

    it(`of ${what} is not passed by a request that the store admits when it is away already`, async () => {
      const store = new CountStoreFake();
      const counts = await store.server();
      const early = Array.from({ length: 3 }, () => take(counts, one));
      await turns();
      assert.equal(store.asking.length, 3);
      await store.change('down');
      const late = Array.from({ length: 3 }, () => take(counts, one));
      await turns();
      while (store.asking.length > 0) await store.answer('taken');
      assert.equal(outcomes([...early, ...late])[0], 2, 'half of four');
    });
  }
});
