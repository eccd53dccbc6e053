import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startRedis, withoutRedis } from '../../support/redisServer.ts';
import { killAll, until, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { chat, conditionOf, keysOf, order, Provider, Replicas } from './replicas.ts';

const redis = withoutRedis === false ? await startRedis() : undefined;

describe('what replicas with a data folder each tell each other over Redis', { skip: withoutRedis }, () => {
  const { folder, remove } = temporaryFolder();
  const [north, south, keyed] = [new Provider(), new Provider(), new Provider()];
  let replicas: Replicas;
  let one: ServerProcess;
  let other: ServerProcess;

  before(async () => {
    assert.ok(redis !== undefined);
    const endpoint = async (provider: Provider, more: object = {}): Promise<object> => ({ provider: 'openai-compatible', baseUrl: await provider.listen(), probe: { enabled: false }, models: { m: {} }, ...more });
    replicas = new Replicas(folder, {
      endpoints: { north: await endpoint(north), south: await endpoint(south), keyed: await endpoint(keyed, { keys: ['${FIRST}', '${SECOND}'] }) },
      routes: { coding: { targets: ['north/m', 'south/m'] } }, state: { redis: '${REDIS_URL}' },
    }, { REDIS_URL: redis.url, FIRST: 'sk-test-the-first-key-0001', SECOND: 'sk-test-the-second-key-0002' });
    [one, other] = await Promise.all([replicas.start(), replicas.start()]);
  });
  after(async () => {
    await killAll(replicas.children);
    await redis?.kill();
    for (const provider of [north, south, keyed]) provider.close();
    remove();
  });

  it('a key that is dead for one is passed over by the other', async () => {
    keyed.refusal = { status: 401, message: 'Incorrect API key provided.' };
    await chat(one, 'keyed/m');
    keyed.refusal = undefined;
    await until('the other knows of the keys', async () => (await keysOf(other, 'keyed')).every(state => state === 'rejected'));
    assert.equal(await other.get('/waybill/endpoints').then(found => JSON.stringify(found).includes('sk-test')), false);
  });

  it('a wait that a provider asked one for is kept by the other, which asks another target', async () => {
    north.refusal = { status: 429, headers: { 'retry-after': '600' }, message: 'slow down' };
    assert.equal((await chat(one, 'coding')).status, 200);
    await until('the other knows of the wait', async () => await conditionOf(other, 'north') !== 'healthy' && await conditionOf(other, 'north') !== 'unknown');
    const asked = north.asked;
    const { status, id } = await chat(other, 'coding');
    assert.equal(status, 200);
    assert.equal(north.asked, asked);
    const { target, attempts } = await other.receipt(id);
    assert.equal(target, 'south/m');
    assert.equal(attempts.length, 1);
  });

  it('a replica that starts late knows what stands', async () => {
    const third = await replicas.start();
    await until('it knows of the wait', async () => await conditionOf(third, 'north') === await conditionOf(other, 'north'));
    await until('it knows of the keys', async () => (await keysOf(third, 'keyed')).every(state => state === 'rejected'));
  });

  it('a pause at one holds at the other, and its end, too', async () => {
    assert.equal((await order(one, '/waybill/endpoints', { action: 'pause', endpoint: 'south', for: '1h' })).status, 200);
    await until('the other knows of the pause', async () => await conditionOf(other, 'south') === 'paused');
    assert.equal((await order(other, '/waybill/endpoints', { action: 'resume', endpoint: 'south' })).status, 200);
    await until('the first knows of its end', async () => await conditionOf(one, 'south') !== 'paused');
  });

  it('what people had forgotten at one is forgotten at the other', async () => {
    north.refusal = undefined;
    assert.equal((await order(other, '/waybill/endpoints', { action: 'reset', endpoint: 'north' })).status, 200);
    await until('the first asks it again', async () => {
      const asked = north.asked;
      await chat(one, 'coding');
      return north.asked > asked;
    });
  });

  it('while Redis is cut off requests are answered, and what is decided reaches the others when it is back', async () => {
    redis?.pause();
    const answered = await chat(one, 'coding');
    assert.equal(answered.status, 200);
    await until('the first says that the others learn later', async () => {
      const { text } = await order(one, '/waybill/endpoints', { action: 'pause', endpoint: 'north', for: '1h' });
      return text.includes('other replicas learn of it as soon as it can');
    });
    assert.notEqual(await conditionOf(other, 'north'), 'paused');
    redis?.resume();
    await until('the other knows of the pause', async () => await conditionOf(other, 'north') === 'paused', 30_000);
  });

  it('a Redis that comes back empty is told again by those who know', async () => {
    await redis?.kill();
    await redis?.start();
    const fourth = await replicas.start();
    await until('it knows of the pause', async () => await conditionOf(fourth, 'north') === 'paused', 30_000);
    await until('it knows of the keys', async () => (await keysOf(fourth, 'keyed')).every(state => state === 'rejected'), 30_000);
  });
});
