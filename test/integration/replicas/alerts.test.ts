import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startRedis, withoutRedis } from '../../support/redisServer.ts';
import { killAll, until, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';
import { chat, Provider, Replicas } from './replicas.ts';

const redis = withoutRedis === false ? await startRedis() : undefined;

describe('an alert of replicas with a data folder each', { skip: withoutRedis }, () => {
  const { folder, remove } = temporaryFolder();
  const provider = new Provider();
  const received: { event: string; subject: string }[] = [];
  const webhook = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text)).on('end', () => {
      received.push(JSON.parse(body) as { event: string; subject: string });
      response.end('ok');
    });
  });
  let servers: ServerProcess[] = [];
  let replicas: Replicas | undefined;

  before(async () => {
    assert.ok(redis !== undefined);
    await once(webhook.listen(0, '127.0.0.1'), 'listening');
    const hook = `http://127.0.0.1:${String((webhook.address() as AddressInfo).port)}/hook`;
    replicas = new Replicas(folder, {
      endpoints: { north: { provider: 'openai-compatible', baseUrl: await provider.listen(), probe: { enabled: false }, models: { m: {} } } },
      routes: { coding: { targets: ['north/m'] } },
      monitoring: { webhooks: { hook: { url: '${HOOK_URL}' } }, alerts: { down: { when: 'endpoint-down', forMinutes: 0 } } },
      state: { redis: { url: '${REDIS_URL}', commandTimeoutMs: 1000 } },
    }, { REDIS_URL: redis.url, HOOK_URL: hook });
    servers = await Promise.all([replicas.start('one'), replicas.start('other')]);
  });
  after(async () => {
    await killAll(replicas?.children ?? []);
    await redis?.kill();
    provider.close();
    webhook.closeAllConnections();
    webhook.close();
    remove();
  });

  /** Whether a replica knows that people were told. */
  function knowsThatItWasTold(dataDir: string): boolean {
    try {
      const alerts = path.join(folder, dataDir, 'alerts');
      return readdirSync(alerts).some(name => /^[0-9a-f]{32}$/.test(name) && (JSON.parse(readFileSync(path.join(alerts, name), 'utf8')) as { told: boolean }).told);
    } catch {
      return false;
    }
  }

  it('is told once, and both know that it was', async () => {
    provider.refusal = { status: 500, message: 'broken' };
    await until('both replicas see that the endpoint is down, and that people were told', async () => {
      await Promise.all(servers.map(server => chat(server, 'coding')));
      return knowsThatItWasTold('one') && knowsThatItWasTold('other');
    }, 60_000);
    assert.deepEqual(received.map(({ event, subject }) => [event, subject]), [['fired', 'north']]);
  });
});
