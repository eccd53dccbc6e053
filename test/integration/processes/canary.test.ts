import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CanaryReport } from '../../../server/api/canary.ts';
import type { CanarySettings, EndpointSettings } from '../../../server/api/settings.ts';
import { exitOf, spawnServer, startServer, writeConfig, type ServerProcess } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/temporaryFolder.ts';

const { folder, remove } = temporaryFolder();

/** A provider of plain chat answers that fails on command and counts what reaches it. */
class Provider {
  requests = 0;
  fails = false;
  readonly server: Server = createServer((request: IncomingMessage, response: ServerResponse) => {
    this.requests += 1;
    request.resume().once('end', () => {
      response.writeHead(this.fails ? 500 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(this.fails ? { error: { message: 'broken', type: 'server_error' } } : {
        id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 500, completion_tokens: 500, total_tokens: 1000 },
      }));
    });
  });

  async listen(): Promise<string> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}/v1`;
  }
}

describe('a canary before real servers', () => {
  const [old, fresh] = [new Provider(), new Provider()];
  const configFile = path.join(folder, 'waybill.yaml');
  const dataDir = path.join(folder, 'data');
  let server: ServerProcess;
  let turn = 0;

  async function start(): Promise<ServerProcess> {
    return startServer({ configFile, dataDir });
  }

  before(async () => {
    const endpoint = async (provider: Provider): Promise<EndpointSettings> => ({
      provider: 'openai-compatible', baseUrl: await provider.listen(), probe: { enabled: false }, models: { m: { prices: { inputPerMTok: 1, outputPerMTok: 1 } } },
    });
    const canary: CanarySettings = { targets: ['fresh/m'], stages: [30, 60, 100], advance: 'requests', stageRequests: 20, minRequests: 5, gates: { p99Ratio: 1000 } };
    writeConfig(configFile, { old: await endpoint(old), fresh: await endpoint(fresh) }, { coding: { targets: ['old/m'], canary } });
    server = await start();
  });
  after(async () => {
    await server.stop();
    for (const { server: provider } of [old, fresh]) {
      provider.closeAllConnections();
      provider.close();
    }
    remove();
  });

  async function chat(conversation = `conversation ${String(turn++)}`): Promise<{ status: number; receipt: string }> {
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST', headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json', 'x-waybill-conversation': conversation },
      body: JSON.stringify({ model: 'coding', messages: [{ role: 'user', content: 'hello' }] }),
    });
    await response.text();
    return { status: response.status, receipt: response.headers.get('x-waybill-exchange') ?? '' };
  }

  async function canary(...args: string[]): Promise<{ code: number | null; text: string }> {
    const { child, written } = spawnServer(['canary', ...args, '--port', new URL(server.url).port, '--data', dataDir]);
    const code = await exitOf(child);
    return { code, text: written.stdout + written.stderr };
  }

  async function report(): Promise<CanaryReport> {
    const response = await fetch(`${server.url}/waybill/canary`, { headers: { authorization: `Bearer ${server.token}` } });
    const [one] = (await response.json() as { canaries: CanaryReport[] }).canaries;
    assert.ok(one !== undefined);
    return one;
  }

  it('walks through its stages, goes on where it stood after a kill, and is rolled back when its target breaks', async () => {
    for (let index = 0; index < 5; index++) assert.equal((await chat()).status, 200);
    assert.equal(fresh.requests, 0, 'nothing goes to a canary that was not started');
    assert.equal((await report()).phase, 'none');
    const started = await canary('start', 'coding');
    assert.equal(started.code, 0, started.text);
    assert.match(started.text, /^Canary of "coding": running, stage 1 of 3, 30 %\n/);

    // Stages end with the tick of a second.
    for (let sent = 0; (await report()).stage < 2; sent++) {
      assert.ok(sent < 200, JSON.stringify(await report()));
      assert.equal((await chat()).status, 200);
      if (sent >= 20) await sleep(100);
    }
    const before = await report();
    // What a second had no time to store may be lost; the stage and what was stored before it may not.
    server.child.kill('SIGKILL');
    await exitOf(server.child);
    server = await start();
    const again = await report();
    assert.deepEqual([again.phase, again.stage, again.startedAt], ['running', 2, before.startedAt]);
    assert.ok(again.canary.requests >= 5 && again.baseline.requests >= 5, JSON.stringify(again));
    assert.ok(again.canary.microUsdPerThousandTokens?.value === 1000, 'prices survive');

    fresh.fails = true;
    const reached = fresh.requests;
    // Its first failures leave the canary 5 % of the conversations, so many go by before it is known to be broken.
    for (let sent = 0; (await report()).phase === 'running'; sent++) {
      assert.ok(sent < 1000, JSON.stringify(await report()));
      assert.equal((await chat()).status, 200, 'a failure of the canary loses no turn');
    }
    const broken = await report();
    assert.equal(broken.phase, 'rolled-back');
    assert.match(broken.message, /^Rolled back at stage 2 of 3 \(60 %\): /);
    assert.ok(fresh.requests - reached <= 10, `${String(fresh.requests - reached)} requests to a broken canary`);
    const last = fresh.requests;
    for (let index = 0; index < 5; index++) assert.equal((await chat()).status, 200);
    assert.equal(fresh.requests, last, 'nothing goes to a canary that was rolled back');

    const status = await canary('status', '--json');
    assert.deepEqual((JSON.parse(status.text) as CanaryReport[]).map(({ route, verdict }) => ({ route, verdict })), [{ route: 'coding', verdict: 'fail' }]);
  });
});
