import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { CanaryReport } from '../../../server/api/canary.ts';
import { startRedis, withoutRedis } from '../../support/redisServer.ts';
import { killAll, until, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { chat, order, Provider, Replicas } from './replicas.ts';

const redis = withoutRedis === false ? await startRedis() : undefined;

describe('a canary of replicas with a data folder each', { skip: withoutRedis }, () => {
  const { folder, remove } = temporaryFolder();
  const [old, fresh] = [new Provider(), new Provider()];
  let one: ServerProcess;
  let other: ServerProcess;
  let replicas: Replicas | undefined;
  let turn = 0;

  before(async () => {
    assert.ok(redis !== undefined);
    const endpoint = async (provider: Provider): Promise<object> => ({ provider: 'openai-compatible', baseUrl: await provider.listen(), probe: { enabled: false }, models: { m: {} } });
    const canary = { targets: ['fresh/m'], stages: [50, 100], advance: 'requests', stageRequests: 1_000, minRequests: 5 };
    replicas = new Replicas(folder, { endpoints: { old: await endpoint(old), fresh: await endpoint(fresh) }, routes: { coding: { targets: ['old/m'], canary } }, state: { redis: '${REDIS_URL}' } }, { REDIS_URL: redis.url });
    [one, other] = await Promise.all([replicas.start(), replicas.start()]);
  });
  after(async () => {
    await killAll(replicas?.children ?? []);
    await redis?.kill();
    old.close();
    fresh.close();
    remove();
  });

  async function reportOf(server: ServerProcess): Promise<CanaryReport | undefined> {
    const { canaries } = await server.get('/waybill/canary') as { canaries: CanaryReport[] };
    return canaries[0];
  }

  const send = (server: ServerProcess): Promise<unknown> => chat(server, 'coding', {}, { 'x-waybill-conversation': `conversation ${String(turn += 1)}` });
  const requests = (report: CanaryReport | undefined): number => (report?.canary.requests ?? 0) + (report?.baseline.requests ?? 0);

  it('that one starts runs at the other', async () => {
    await until('the order is taken', async () => (await order(one, '/waybill/canary', { action: 'start', route: 'coding' })).status === 200);
    await until('the other runs it', async () => (await reportOf(other))?.phase === 'running');
  });

  it('counts the requests of both together', async () => {
    for (let round = 0; round < 20; round += 1) await Promise.all([send(one), send(other)]);
    for (const server of [one, other]) await until('each has all requests', async () => requests(await reportOf(server)) === 40);
  });

  it('is rolled back everywhere by failures that the two met together', async () => {
    fresh.refusal = { status: 500, message: 'broken' };
    await until('the gate rolls it back', async () => {
      await Promise.all([send(one), send(other)]);
      return (await reportOf(one))?.phase === 'rolled-back' && (await reportOf(other))?.phase === 'rolled-back';
    }, 30_000);
    const asked = fresh.asked;
    for (let round = 0; round < 10; round += 1) await Promise.all([send(one), send(other)]);
    assert.equal(fresh.asked, asked);
  });
});
