import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createClient } from '@redis/client';
import { silentLog } from '../../../../server/base/log.ts';
import { resolveState } from '../../../../server/config/state/resolveState.ts';
import { newsVersion, readItems, subjectOf, type AttemptNews, type NewsItem, type StandingNews } from '../../../../server/router/replicas/news/newsItems.ts';
import { NewsStore } from '../../../../server/router/replicas/news/newsStore.ts';
import { Outbox } from '../../../../server/router/replicas/news/outbox.ts';
import { StoreClock } from '../../../../server/router/replicas/storeClock.ts';
import { StateConnection } from '../../../../server/state/stateConnection.ts';
import { startRedis, withoutRedis } from '../../../support/redisServer.ts';

function attempt(number: number, more: Partial<AttemptNews> = {}): AttemptNews {
  return { kind: 'attempt', endpoint: 'north', place: 'p', model: 'm', id: `x#${String(number)}`, startedAt: 1_000, at: 2_000 + number, tokens: 5, totalMs: 10, ...more };
}

function rejected(at: number, state: 'rejected' | 'ok' = 'rejected'): StandingNews {
  return { kind: 'state', endpoint: 'north', place: 'p', key: 'k', at, state, ...(state === 'ok' ? {} : { until: at + 60_000 }) };
}

describe('news of another replica', () => {
  it('are dropped as a whole where they are of another version, no list, or too long', () => {
    const text = JSON.stringify([attempt(1)]);
    assert.deepEqual(readItems(newsVersion, text), { items: [attempt(1)], refused: 0 });
    for (const [version, sent] of [['2', text], [newsVersion, '{"items":[]}'], [newsVersion, '[{'], [newsVersion, `[${' '.repeat(70_000)}]`]] as const) {
      assert.deepEqual(readItems(version, sent), { items: [], refused: 1 });
    }
  });

  it('are dropped one by one where they have a wrong form, and the others count', () => {
    const wrong = [{ ...attempt(2), failureClass: 'tired' }, { ...attempt(3), at: -1 }, { ...attempt(4), message: 'a text of a provider' }, 7, null];
    assert.deepEqual(readItems(newsVersion, JSON.stringify([attempt(1), ...wrong])), { items: [attempt(1)], refused: wrong.length });
  });
});

describe('news that wait to be told', () => {
  function all(outbox: Outbox): NewsItem[] {
    const items: NewsItem[] = [];
    while (!outbox.isEmpty) items.push(...outbox.take().items);
    return items;
  }

  it('are an even part of many attempts at one target, with all waits, and all of few', () => {
    const outbox = new Outbox();
    for (let number = 0; number < 320; number += 1) outbox.add(attempt(number, number % 4 === 3 ? { failureClass: 'server' } : {}));
    for (let number = 0; number < 5; number += 1) outbox.add(attempt(number, { model: 'rare' }));
    outbox.add(attempt(400, { failureClass: 'rate-limit', retryAfterMs: 60_000 }));
    const items = all(outbox) as AttemptNews[];
    const sampled = items.filter(({ model, retryAfterMs }) => model === 'm' && retryAfterMs === undefined);
    assert.equal(sampled.length, 32);
    assert.equal(items.filter(({ model }) => model === 'rare').length, 5);
    assert.equal(items.filter(({ retryAfterMs }) => retryAfterMs !== undefined).length, 1);
    assert.equal(outbox.dropped, 320 - 32);
  });

  it('are bounded while the store is away, and the latest stay', () => {
    const outbox = new Outbox();
    for (let number = 0; number < 3_000; number += 1) outbox.add(attempt(number, { model: `m-${String(number)}` }));
    const items = all(outbox) as AttemptNews[];
    assert.equal(items.length, 1_000);
    assert.equal(items[0]?.model, 'm-2000');
    assert.equal(outbox.dropped, 2_000);
  });

  it('stand where they hold until something else is found out', () => {
    const outbox = new Outbox();
    const wait = attempt(1, { failureClass: 'rate-limit', retryAfterMs: 60_000 });
    for (const item of [attempt(2), wait, rejected(5), { kind: 'probe', endpoint: 'north', place: 'p', at: 5 } as const]) outbox.add(item);
    assert.deepEqual(outbox.take().standing.map(({ item }) => item), [wait, rejected(5)]);
  });
});

describe('the clock of the store', () => {
  it('is followed where it differs from this machine\'s, and not for a few milliseconds', () => {
    const clock = new StoreClock();
    clock.sample(1_000, 50_000, 1_000_000, 1_000_020);
    assert.equal(clock.toStore(5), 5);
    clock.sample(1_060, 10_000, 1_000_000, 1_000_020);
    assert.equal(clock.toStore(5), 60_005);
    assert.equal(clock.fromStore(60_005), 5);
    clock.sample(1_000, 0, 1_000_000, 1_002_000);
    assert.equal(clock.toStore(5), 60_005, 'an answer that took long says nothing');
  });
});

const redis = withoutRedis === false ? await startRedis() : undefined;

describe('news in Redis', { skip: withoutRedis }, () => {
  const open: StateConnection[] = [];
  after(async () => {
    for (const one of open) await one.close();
    await redis?.kill();
  });

  async function replica(prefix: string): Promise<{ news: NewsStore; state: StateConnection }> {
    const state = new StateConnection({ log: silentLog, random: () => 0, changed: () => undefined });
    open.push(state);
    state.configure(resolveState({ redis: { url: redis?.url, prefix, commandTimeoutMs: 1000, connectTimeoutMs: 1000 } }, {}, (_path, message) => { throw new Error(message); }));
    await state.ready();
    return { news: new NewsStore(state, new StoreClock(), () => Date.now()), state };
  }

  const standing = (...items: StandingNews[]): { items: StandingNews[]; standing: { subject: string; at: number; item: StandingNews }[] } => ({ items, standing: items.map(item => ({ subject: subjectOf(item), at: item.at, item })) });

  it('older ones never win over newer ones of their subject, whoever tells them later', async () => {
    const [{ news: one }, { news: other }, { news: late }] = [await replica('order'), await replica('order'), await replica('order')];
    await one.publish(standing(rejected(2_000, 'ok')));
    await other.publish(standing(rejected(1_000)));
    assert.deepEqual(await late.readStanding(), { items: [rejected(2_000, 'ok')], refused: 0 });
    await other.publish(standing(rejected(3_000)));
    assert.deepEqual((await late.readStanding()).items, [rejected(3_000)]);
  });

  it('are read once, in their order, without one\'s own', async () => {
    const [{ news: one }, { news: other }] = [await replica('once'), await replica('once')];
    await one.publish({ items: [attempt(1)], standing: [] });
    await other.publish({ items: [attempt(2)], standing: [] });
    await one.publish({ items: [attempt(3)], standing: [] });
    assert.deepEqual(await other.read(60_000), { items: [attempt(1), attempt(3)], refused: 0, more: false });
    await one.publish({ items: [attempt(4)], standing: [] });
    assert.deepEqual((await other.read(60_000)).items, [attempt(4)]);
    assert.deepEqual((await one.read(60_000)).items, [attempt(2)]);
  });

  it('are counted and passed over where another version wrote them', async () => {
    const { news } = await replica('versions');
    const client = await createClient({ url: redis?.url ?? '', RESP: 2 }).connect();
    await client.sendCommand(['XADD', '{versions}:news', '*', 'v', '99', 'by', 'someone', 'b', JSON.stringify([attempt(1)])]);
    await client.sendCommand(['HSET', '{versions}:news:standing', 'a', 'nonsense', 'b', JSON.stringify(['99', rejected(1)])]);
    client.destroy();
    assert.deepEqual(await news.read(60_000), { items: [], refused: 1, more: false });
    assert.deepEqual(await news.readStanding(), { items: [], refused: 2 });
  });

  it('are at most so many subjects; the oldest go', async () => {
    const { news, state } = await replica('many');
    for (let start = 0; start < 5_100; start += 300) {
      const items = Array.from({ length: 300 }, (_, index): StandingNews => ({ ...rejected(start + index + 1), endpoint: `e-${String(start + index)}` }));
      await news.publish({ items: [], standing: standing(...items).standing });
    }
    assert.equal(await state.command('HLEN', 'news:standing'), 5_000);
    assert.ok(!(await news.readStanding()).items.some(({ endpoint }) => endpoint === 'e-0'));
  });

  it('have one salt for all, and the first one is kept', async () => {
    const [{ news: one }, { news: other }] = [await replica('salt'), await replica('salt')];
    const [mine, theirs] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    assert.deepEqual(await one.salt(mine), mine);
    assert.deepEqual(await other.salt(theirs), mine);
  });
});
