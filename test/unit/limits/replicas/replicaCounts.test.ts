import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, withoutRedis } from '../../../support/redisServer.ts';
import { budget, claim, countingServer, until, type CountingServer } from './replicaServers.ts';

const sent = { isSent: true, tokens: undefined, microUsd: 0, isAll: true } as const;

async function three(redis: Awaited<ReturnType<typeof startRedis>>, options: Parameters<typeof countingServer>[1] = {}): Promise<CountingServer[]> {
  return [await countingServer(redis, options), await countingServer(redis, options), await countingServer(redis, options)];
}

async function cost(server: CountingServer, key: string): Promise<{ used: number; reserved: number; unknown: number; extra: number }> {
  await server.counts.ready();
  const { used, reserved, unknown, extra } = server.counts.allowances.taken(key);
  return { used, reserved, unknown, extra };
}

describe('limits of servers on several machines', { skip: withoutRedis }, () => {
  it('admit no more requests in a minute than the limit, with all of them at once', async () => {
    const servers = await three(await startRedis());
    const answers = await Promise.all(servers.flatMap(server => Array.from({ length: 60 }, () => server.take({ claims: [claim('openai', { requestsPerMinute: 50 })] }))));
    assert.equal(answers.filter(({ taken }) => taken).length, 50);
    const refused = answers.find(answer => !answer.taken);
    assert.ok(refused?.taken === false && refused.kind === 'limit');
    assert.match(refused.refusal.reason, /^its own limit of 50 requests a minute is used up for another \d+ s$/);
    assert.ok(servers.some(server => server.counts.look('openai', 10, Date.now()) !== undefined), 'a plan passes the endpoint over');
  });

  it('take requests and tokens of all limits together, or nothing', async () => {
    const [one, two] = await three(await startRedis());
    assert.ok(one !== undefined && two !== undefined);
    const ofKey = claim('key', { tokensPerMinute: 100 }, 80);
    const ofEndpoint = claim('openai', { requestsPerMinute: 2 }, 80);
    assert.equal((await one.take({ claims: [ofEndpoint, ofKey] })).taken, true);
    const refused = await two.take({ claims: [ofEndpoint, ofKey] });
    assert.ok(!refused.taken && refused.kind === 'limit' && refused.claim === ofKey);
    assert.equal((await two.take({ claims: [ofEndpoint] })).taken, true, 'the refused request took nothing of the endpoint');
    assert.equal((await two.take({ claims: [ofEndpoint] })).taken, false);
  });

  it('count requests at once, and free the places of a server that is gone', async () => {
    const redis = await startRedis();
    const [one, two, three_] = await three(redis);
    assert.ok(one !== undefined && two !== undefined && three_ !== undefined);
    const atOnce = claim('openai', { concurrency: 2 });
    const first = await one.take({ claims: [atOnce] });
    assert.ok(first.taken);
    assert.equal((await two.take({ claims: [atOnce] })).taken, true);
    assert.equal((await three_.take({ claims: [atOnce] })).taken, false);
    one.counts.settle(first.hold, sent);
    await until('its place is free', async () => (await three_.take({ claims: [atOnce] })).taken);
    // The second server is gone: its heartbeat is too old.
    await three_.state.command('ZADD', 'members', 1, two.state.replica);
    await three_.counts.ready();
    assert.equal((await three_.take({ claims: [atOnce] })).taken, true);
    assert.equal((await three_.take({ claims: [atOnce] })).taken, false);
    // It was only slow: its requests count again.
    await two.state.command('ZADD', 'members', Date.now(), two.state.replica);
    await two.counts.ready();
    assert.equal(await two.state.command('HGET', 'n:openai', two.state.replica), '1');
  });

  it('take what holds for a token with the first attempt, in the same call', async () => {
    const [one] = await three(await startRedis());
    assert.ok(one !== undefined);
    await one.take({ claims: [claim('other', { requestsPerMinute: 5 })] });
    const calls = one.state.figures.calls.ok;
    const taken = await one.take({ claims: [claim('openai', { requestsPerMinute: 5 })], ofToken: [claim('token/t1', { requestsPerMinute: 1 })], allowances: [budget('daily', 1)], microUsd: 10 });
    assert.ok(taken.taken && taken.token !== undefined);
    assert.equal(one.state.figures.calls.ok - calls, 1);
    const again = one.state.figures.calls.ok;
    const refused = await one.take({ claims: [claim('openai', { requestsPerMinute: 5 })], ofToken: [claim('token/t1', { requestsPerMinute: 1 })] });
    assert.ok(!refused.taken && refused.kind === 'limit' && refused.claim?.scope === 'token/t1');
    assert.equal(one.state.figures.calls.ok - again, 1);
  });
});

describe('budgets of servers on several machines', { skip: withoutRedis }, () => {
  it('are passed by no request of any server, and count what requests cost', async () => {
    const servers = await three(await startRedis());
    const daily = budget('daily', 1);
    const ends = (await Promise.all(servers.flatMap(server => Array.from({ length: 10 }, () => server.spend([daily], 100_000))))).filter(end => end !== undefined);
    assert.equal(ends.length, 10, 'ten times ten cents');
    assert.deepEqual(await cost(servers[0]!, daily.key), { used: 1_000_000, reserved: 1_000_000, unknown: 0, extra: 0 });
    ends.forEach((end, index) => { end(index === 0 ? undefined : 50_000); });
    await until('all are told', async () => (await cost(servers[1]!, daily.key)).reserved === 0);
    assert.deepEqual(await cost(servers[1]!, daily.key), { used: 9 * 50_000 + 100_000, reserved: 0, unknown: 100_000, extra: 0 }, 'what nobody knows counts as was expected');
  });

  it('are all taken or none, and soft ones stop nothing', async () => {
    const [one] = await three(await startRedis());
    assert.ok(one !== undefined);
    const [daily, team, soft] = [budget('daily', 10), budget('team', 1), budget('soft', 0.1, false)];
    assert.notEqual(await one.spend([daily, team, soft], 900_000), undefined);
    const refused = await one.take({ allowances: [daily, team, soft], microUsd: 200_000 });
    assert.ok(!refused.taken && refused.kind === 'allowance' && refused.misfit.key === team.key);
    assert.equal(Math.round(refused.misfit.leftMicroUsd), 100_000);
    assert.equal((await cost(one, daily.key)).used, 900_000);
  });

  it('end once, however often the end is told', async () => {
    const redis = await startRedis();
    const [one, two] = await three(redis);
    assert.ok(one !== undefined && two !== undefined);
    const daily = budget('daily', 1);
    const end = await one.spend([daily], 300_000);
    redis.pause();
    end?.(100_000);
    redis.resume();
    await until('it is told', async () => (await cost(two, daily.key)).used === 100_000);
    await one.counts.ready();
    assert.deepEqual(await cost(two, daily.key), { used: 100_000, reserved: 0, unknown: 0, extra: 0 });
  });

  it('keep what a server reserved that is gone, and take its late end', async () => {
    const [one, two] = await three(await startRedis());
    assert.ok(one !== undefined && two !== undefined);
    const daily = budget('daily', 1);
    const end = await one.spend([daily], 300_000);
    await two.state.command('ZADD', 'members', 1, one.state.replica);
    await until('it is freed', async () => (await cost(two, daily.key)).reserved === 0);
    assert.equal((await cost(two, daily.key)).used, 300_000, 'its request was sent');
    end?.(120_000);
    await until('the late end counts', async () => (await cost(two, daily.key)).used === 120_000);
  });

  it('have a part of each ledger, which that ledger alone corrects', async () => {
    const redis = await startRedis();
    const [here, there] = [await countingServer(redis, { ledger: 'here' }), await countingServer(redis, { ledger: 'there' })];
    const daily = budget('daily', 10);
    here.counts.allowances.begin(daily.key, 2_000_000);
    await until('the other one knows', async () => (await cost(there, daily.key)).used === 2_000_000);
    (await there.spend([daily], 1_000_000))?.(500_000);
    await until('both are in it', async () => (await cost(here, daily.key)).used === 2_500_000);
    here.counts.allowances.correct(daily.key, 3_000_000, Date.now() + 1_000);
    await until('it is corrected', async () => (await cost(there, daily.key)).used === 3_500_000);
    there.counts.allowances.correct(daily.key, 400_000, Date.now() - 60_000);
    await there.counts.ready();
    assert.equal((await cost(there, daily.key)).used, 3_500_000, 'what changed since is not corrected');
  });

  it('have the part of a ledger whose server started while Redis was away', async () => {
    const redis = await startRedis();
    const one = await countingServer(redis, { ledger: 'one' });
    const daily = budget('daily', 1);
    await redis.kill();
    await until('it noticed', () => !one.state.isUp);
    const late = await countingServer(redis, { ledger: 'late' });
    late.counts.allowances.begin(daily.key, 900_000);
    await redis.start();
    await until('both are back', () => [one, late].every(({ state, counts }) => { state.tick(); counts.tick(); return counts.isUsable; }));
    await until('the other one knows', async () => { one.counts.tick(); return (await cost(one, daily.key)).used === 900_000; });
    assert.equal(await one.spend([daily], 200_000), undefined, 'no more than is left');
  });
});

describe('a Redis into which something else wrote', { skip: withoutRedis }, () => {
  it('fails no request: this server decides by its share', async () => {
    const [one] = await three(await startRedis());
    assert.ok(one !== undefined);
    await one.state.command('SET', 'w:openai', 'rubbish');
    const answers = [];
    for (let request = 0; request < 3; request += 1) answers.push(await one.take({ claims: [claim('openai', { requestsPerMinute: 4 })] }));
    assert.deepEqual(answers.map(({ taken }) => taken), [true, true, false], 'half of the limit');
    assert.equal((await one.take({ claims: [claim('claude', { requestsPerMinute: 4 })] })).taken, true);
  });

  it('frees what servers hold that are gone, though one hold cannot be read', async () => {
    const [one, two] = await three(await startRedis());
    assert.ok(one !== undefined && two !== undefined);
    const atOnce = claim('openai', { concurrency: 1 });
    assert.equal((await one.take({ claims: [atOnce] })).taken, true);
    await two.state.command('HSET', `held:${one.state.replica}`, 'other', 'rubbish');
    await two.state.command('ZADD', 'members', 1, one.state.replica);
    await two.counts.ready();
    assert.equal((await two.take({ claims: [atOnce] })).taken, true);
  });
});

describe('while Redis is away', { skip: withoutRedis }, () => {
  it('each server keeps to its share of a limit, and Redis learns of it', async () => {
    const redis = await startRedis();
    const servers = await three(redis);
    for (const server of servers) server.state.tick();
    await until('each knows all', () => servers.every(({ state }) => { state.tick(); return state.replicas === 3; }));
    await redis.kill();
    await until('all noticed', () => servers.every(({ state }) => !state.isUp));
    const limit = claim('openai', { requestsPerMinute: 30 });
    for (const server of servers) {
      const answers = await Promise.all(Array.from({ length: 30 }, () => server.take({ claims: [limit] })));
      assert.equal(answers.filter(({ taken }) => taken).length, 10);
      const refused = answers.find(({ taken }) => !taken);
      assert.ok(refused?.taken === false && refused.kind === 'limit');
      assert.match(refused.refusal.reason, /^this server's share of its own limit of 10 requests a minute is used up/);
      assert.deepEqual(server.figures.decisions.limits.share, 30);
    }
    await redis.start();
    await until('all are back', () => servers.every(({ counts }) => { counts.tick(); return counts.isUsable; }));
    const [, other] = servers;
    await until('all is told', async () => { const used = await other?.state.command('HVALS', 'w:openai'); return Array.isArray(used) && used.map(Number).reduce((sum, one) => sum + one, 0) === 30 + 300; });
    assert.equal((await other?.take({ claims: [claim('openai', { requestsPerMinute: 31 })] }))?.taken, false, 'it used its share already');
  });

  it('each server keeps to its share of what is left of a budget, and the sum is right when Redis is back, empty', async () => {
    const redis = await startRedis();
    const servers = [await countingServer(redis, { ledger: 'one' }), await countingServer(redis, { ledger: 'two' })];
    const daily = budget('daily', 1);
    const running = await servers[0]!.spend([daily], 100_000);
    (await servers[1]!.spend([daily], 100_000))?.(100_000);
    await until('both know', async () => (await cost(servers[0]!, daily.key)).used === 200_000 && (await cost(servers[1]!, daily.key)).used === 200_000 && (await cost(servers[0]!, daily.key)).reserved === 100_000);
    await redis.kill();
    await until('both noticed', () => servers.every(({ state }) => !state.isUp));
    const away = await Promise.all(servers.flatMap(server => Array.from({ length: 10 }, () => server.spend([daily], 100_000))));
    const admitted = away.filter(end => end !== undefined);
    assert.equal(admitted.length, 8, 'each four of the eight that were left');
    admitted.slice(0, 6).forEach(end => { end(90_000); });
    await redis.start();
    await until('both are back', () => servers.every(({ counts }) => { counts.tick(); return counts.isUsable; }));
    const expected = { used: 100_000 + 100_000 + 6 * 90_000 + 2 * 100_000, reserved: 300_000, unknown: 0, extra: 0 };
    const fresh = await countingServer(redis, { ledger: 'three' });
    await until('the sum is there', async () => (await cost(fresh, daily.key)).used === expected.used && (await cost(fresh, daily.key)).reserved === expected.reserved);
    running?.(50_000);
    admitted.slice(6).forEach(end => { end(100_000); });
    await until('all ended', async () => (await cost(fresh, daily.key)).reserved === 0);
    assert.equal((await cost(fresh, daily.key)).used, expected.used - 50_000);
  });

  it('requests that Redis did not answer keep to the shares of a budget together', async () => {
    const redis = await startRedis();
    const servers = [await countingServer(redis, { ledger: 'one' }), await countingServer(redis, { ledger: 'two' })];
    const daily = budget('daily', 1);
    const first = await servers[0]!.spend([daily], 100_000);
    first?.(100_000);
    await until('both know', async () => (await Promise.all(servers.map(server => cost(server, daily.key)))).every(({ used, reserved }) => used === 100_000 && reserved === 0));
    redis.pause();
    // All of them wait for Redis at once, and each reserved what it needs here before.
    const ends = await Promise.all(servers.flatMap(server => Array.from({ length: 9 }, () => server.spend([daily], 100_000))));
    const admitted = ends.filter(end => end !== undefined);
    assert.ok(admitted.length >= 2 && admitted.length <= 8, `each at most four of the nine that were left, and not ${String(admitted.length)} together`);
    admitted.forEach(end => { end(100_000); });
    redis.resume();
    await until('both are back', () => servers.every(({ state, counts }) => { state.tick(); counts.tick(); return counts.isUsable; }));
    for (let left = 9 - admitted.length; left > 0; left--) (await servers[0]!.spend([daily], 100_000) ?? assert.fail('what is left is not refused'))(100_000);
    assert.equal(await servers[1]!.spend([daily], 100_000), undefined, 'the budget is used up');
    assert.equal((await cost(servers[0]!, daily.key)).used, 1_000_000);
  });

  it('Redis lets a server send no more than what is left beside what it sent by its share and did not tell yet', async () => {
    const redis = await startRedis();
    const server = await countingServer(redis, { timeoutMs: 1_000 });
    for (const order of [{ claims: [claim('openai', { requestsPerMinute: 10 })] }, { claims: [claim('claude', { tokensPerMinute: 100 }, 10)] }, { claims: [claim('gemini', { concurrency: 10 })] }, { allowances: [budget('daily', 1)], microUsd: 100_000 }]) {
      redis.pause();
      const byShare = await Promise.all([server.take(order), server.take(order)]);
      assert.ok(byShare.every(({ taken }) => taken), 'they are within its share');
      // Both came too late for Redis.
      await sleep(50);
      redis.resume();
      assert.equal(server.state.isUp, true);
      const byRedis = (await Promise.all(Array.from({ length: 20 }, () => server.take(order)))).filter(({ taken }) => taken);
      assert.ok(byRedis.length >= 1 && byRedis.length <= 8, `${String(byRedis.length)} beside two`);
    }
  });

  it('nothing that is limited is sent where the modes say so, and everything where they say that', async () => {
    const redis = await startRedis();
    const closed = await countingServer(redis, { modes: { limits: 'closed', budgets: 'closed' } });
    const opened = await countingServer(redis, { modes: { limits: 'open', budgets: 'open' } });
    await redis.kill();
    await until('both noticed', () => !closed.state.isUp && !opened.state.isUp);
    const limits = await closed.take({ claims: [claim('openai', { requestsPerMinute: 100 })] });
    assert.ok(!limits.taken && limits.kind === 'away');
    assert.deepEqual([limits.reason, limits.retryAfterMs], ['the count of limits that servers share is away, and nothing that limits hold for is sent until it is back', 1_000]);
    const money = await closed.take({ allowances: [budget('daily', 1)], microUsd: 1 });
    assert.ok(!money.taken && money.kind === 'away');
    assert.equal((await closed.take({ allowances: [budget('daily', 1, false)], microUsd: 1 })).taken, true, 'a budget that only warns holds nothing back');
    assert.equal((await closed.take({})).taken, true);
    for (let request = 0; request < 5; request += 1) assert.equal((await opened.take({ claims: [claim('openai', { requestsPerMinute: 1 })], allowances: [budget('daily', 0.000001)], microUsd: 5 })).taken, true);
  });

  it('no request waits longer than the timeout, and what was sent to it too late is not counted', async () => {
    const redis = await startRedis();
    const [one, two] = [await countingServer(redis, { timeoutMs: 300 }), await countingServer(redis, { timeoutMs: 1_000 })];
    const daily = budget('daily', 10);
    (await one.spend([daily], 1_000))?.(1_000);
    await until('it is told', async () => (await cost(two, daily.key)).used === 1_000);
    redis.pause();
    const answers = await Promise.all(Array.from({ length: 3 }, () => one.take({ claims: [claim('openai', { concurrency: 9 })], allowances: [daily], microUsd: 500_000 })));
    assert.ok(answers.every(({ taken }) => taken), 'they are within its share');
    assert.equal(one.state.isUp, false);
    redis.resume();
    for (const answer of answers) if (answer.taken) one.counts.settle(answer.hold, { ...sent, microUsd: 100_000 });
    await until('it is back and told', async () => { one.counts.tick(); two.counts.tick(); const known = await cost(two, daily.key); return known.used === 301_000 && known.reserved === 0; });
    assert.equal(await two.state.command('HLEN', `held:${one.state.replica}`), 0);
    assert.equal(await two.state.command('HGET', 'n:openai', one.state.replica), null);
  });
});
