import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../../../server/base/clock.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { MemoryAllowanceStore } from '../../../../server/limits/allowances/memoryAllowanceStore.ts';
import { CountFigures } from '../../../../server/limits/replicas/countFigures.ts';
import { ReplicaCounts } from '../../../../server/limits/replicas/replicaCounts.ts';
import type { StateReply, StateStore } from '../../../../server/state/stateStore.ts';
import { startRedis, withoutRedis } from '../../../support/redisServer.ts';
import { budget, claim, countingServer, until, type CountingServer } from './replicaServers.ts';

const sent = { isSent: true, tokens: undefined, isAll: true } as const;

async function known({ counts }: CountingServer, key: string): Promise<{ used: number; reserved: number }> {
  await counts.ready();
  const { used, reserved } = counts.allowances.taken(key);
  return { used, reserved };
}

describe('a key of Redis that holds something else than a count', { skip: withoutRedis }, () => {
  it('keeps nothing else from the end of its request, nor other requests from theirs, and the log names it once', async () => {
    const redis = await startRedis();
    const [one, other] = [await countingServer(redis), await countingServer(redis)];
    const [spoilt, whole] = [budget('spoilt', 10), budget('whole', 10)];
    const atOnce = claim('openai', { concurrency: 2, requestsPerMinute: 100 });
    const first = await one.take({ claims: [atOnce], allowances: [spoilt, whole], microUsd: 300_000 });
    const second = await one.take({ claims: [atOnce], allowances: [whole], microUsd: 300_000 });
    assert.ok(first.taken && second.taken);
    for (const key of ['w:openai', `a:${spoilt.key}`]) await other.state.command('SET', key, 'rubbish');
    one.counts.settle(first.hold, { ...sent, tokens: 3, microUsd: 100_000 });
    one.counts.settle(second.hold, { ...sent, microUsd: 50_000 });
    await until('both ends count', async () => { const { used, reserved } = await known(other, whole.key); return used === 150_000 && reserved === 0; });
    assert.equal(await other.state.command('HGET', 'n:openai', one.state.replica), null, 'the places are free');
    assert.equal(await other.state.command('HLEN', `held:${one.state.replica}`), 0);
    for (let tick = 0; tick < 3; tick += 1) await one.counts.ready();
    assert.ok(one.counts.isUsable && other.counts.isUsable);
    assert.deepEqual([...new Set(one.errors)].sort(), [`{test}:a:${spoilt.key}`, '{test}:w:openai'].map(key => `The shared store has something else than a count at "${key}": what is counted there is left out. Delete that key in Redis.`));
    assert.equal(one.errors.length, 2);
  });

  it('holds nothing back of what a server did while Redis was away', async () => {
    const redis = await startRedis();
    const [one, other] = [await countingServer(redis, { timeoutMs: 100 }), await countingServer(redis)];
    const [spoilt, whole] = [budget('spoilt', 10), budget('whole', 10)];
    redis.pause();
    await until('it is away', async () => { await one.state.command('GET', 'x').catch(() => undefined); return !one.state.isUp; });
    const ends = [await one.spend([spoilt], 1_000), await one.spend([whole], 1_000), await one.spend([whole], 2_000)];
    ends[0]?.(900);
    ends[1]?.(800);
    redis.resume();
    await other.state.command('SET', `a:${spoilt.key}`, 'rubbish');
    await until('it is told, with what still runs', async () => { one.counts.tick(); const { used, reserved } = await known(other, whole.key); return used === 2_800 && reserved === 2_000; });
    await until('the store decides', () => { one.counts.tick(); return one.counts.isUsable; });
    ends[2]?.(700);
    await until('that ends, too', async () => { const { used, reserved } = await known(other, whole.key); return used === 1_500 && reserved === 0; });
  });
});

describe('ends that Redis cannot be told', { skip: withoutRedis }, () => {
  it('are merged beyond a bound, and count to the micro-dollar when it is back, with no place taken for ever', async () => {
    const redis = await startRedis();
    const [one, other] = [await countingServer(redis, { timeoutMs: 100, mostEnds: 3 }), await countingServer(redis)];
    const [daily, team] = [budget('daily', 10), budget('team', 10)];
    const answers = [];
    for (let request = 0; request < 8; request += 1) answers.push(await one.take({ claims: [claim('openai', { concurrency: 50 })], allowances: request % 2 === 0 ? [daily] : [daily, team], microUsd: 100_000 }));
    await until('all are known', async () => (await known(other, daily.key)).reserved === 800_000);
    // They run for more than a minute.
    const held = await other.state.command('HGETALL', `held:${one.state.replica}`) as readonly string[];
    for (let at = 0; at < held.length; at += 2) await other.state.command('HSET', `held:${one.state.replica}`, held[at] ?? '', (held[at + 1] ?? '').replace(/^\d+/, second => String(Number(second) - 100)));
    redis.pause();
    await until('it is away', async () => { await one.state.command('GET', 'x').catch(() => undefined); return !one.state.isUp; });
    let spent = 0;
    answers.slice(0, 7).forEach((answer, index) => {
      assert.ok(answer.taken);
      const microUsd = 20_001 * (index + 1);
      spent += microUsd;
      one.counts.settle(answer.hold, { ...sent, microUsd });
    });
    redis.resume();
    await until('all ends count', async () => { one.counts.tick(); const { used, reserved } = await known(other, daily.key); return used === spent + 100_000 && reserved === 100_000; });
    await until('and those of the other budget', async () => { one.counts.tick(); const { used, reserved } = await known(other, team.key); return used === 20_001 * (2 + 4 + 6) + 100_000 && reserved === 100_000; });
    assert.equal(await other.state.command('HGET', 'n:openai', one.state.replica), '1', 'one still runs');
    const last = answers[7];
    assert.ok(last?.taken);
    one.counts.settle(last.hold, { ...sent, microUsd: 5 });
    await until('that one ends, too', async () => { const { used, reserved } = await known(other, daily.key); return used === spent + 5 && reserved === 0; });
    assert.equal(await other.state.command('HLEN', `held:${one.state.replica}`), 0);
  });
});

describe('changes that other servers made', { skip: withoutRedis }, () => {
  for (const [when, score] of [['in the same millisecond', () => 1_000], ['one after the other', (index: number) => 1_000 + index], ['many at a time', (index: number) => 1_000 + Math.floor(index / 400)]] as const) {
    it(`are all read where there are more of them than in one call, ${when}`, async () => {
      const redis = await startRedis();
      const one = await countingServer(redis, { ledger: 'one' });
      const names = Array.from({ length: 1_250 }, (_, index) => `budget/b${String(index)}/everything/day/2026-11-28/`);
      const now = Date.now();
      for (const [index, name] of names.entries()) {
        await one.state.command('HSET', `a:${name}`, 's|other', 7);
        await one.state.command('ZADD', 'changed', now - 60_000 + score(index), name);
      }
      const fresh = await countingServer(redis, { ledger: 'two' });
      await until('all are known', async () => { await fresh.counts.ready(); return names.every(name => fresh.counts.allowances.taken(name).used === 7); });
      await one.state.command('HSET', `a:${names[3] ?? ''}`, 's|other', 9);
      await one.state.command('ZADD', 'changed', Date.now() + 1, names[3] ?? '');
      await until('a later change is read, too', async () => (await known(fresh, names[3] ?? '')).used === 9);
    });
  }
});

describe('a server that was held up', { skip: withoutRedis }, () => {
  it('asks once more where its call came too late, and does not decide by itself', async () => {
    const one = await countingServer(await startRedis(), { timeoutMs: 500 });
    const asked = one.take({ claims: [claim('openai', { requestsPerMinute: 3 })] });
    const free = performance.now() + 700;
    while (performance.now() < free);
    assert.equal((await asked).taken, true);
    assert.deepEqual([one.figures.decisions.limits.store, one.figures.decisions.limits.share], [1, 0]);
  });
});

describe('the end of a server', () => {
  it('waits for a bounded time until the store is told', async () => {
    let calls = 0;
    const state = {
      isConfigured: true, isUp: true, replica: 'r', replicas: 1, timeoutMs: 100, prefix: '{test}:', changes: () => ({ dispose: () => undefined }),
      run: () => { calls += 1; return new Promise<StateReply>(() => undefined); },
    } as unknown as StateStore;
    const counts = new ReplicaCounts({ state, whenAway: () => ({ limits: 'share', budgets: 'share' }), ledger: 'l', allowances: new MemoryAllowanceStore(), figures: new CountFigures(), clock: systemClock, log: silentLog });
    await counts.close();
    assert.equal(calls, 1);
    counts.tick();
    assert.equal(calls, 1, 'it asks no more');
  });
});
